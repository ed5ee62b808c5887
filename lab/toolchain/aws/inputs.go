package main

import (
	"context"
	"maps"
	"strings"

	sdk "github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	bridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// The Terraform provider fills in a resource's region and all its tags while it plans. Pulumi
// compares the inputs that were checked before that, so they have to be there by then, or every
// preview would show a change.

// addInputs has the inputs completed before a check, where a type knows them.
func addInputs(info *bridge.ProviderInfo, older *sdk.Provider) {
	for name, resource := range info.Resources {
		schema := info.P.ResourcesMap().Get(name).Schema()
		var steps []bridge.PreCheckCallback
		if settable(schema, "region") {
			steps = append(steps, withRegion)
		}
		// The framework's half answers with all tags by itself.
		_, isOlder := older.ResourcesMap[name]
		if _, all := schema.GetOk("tags_all"); all && isOlder && settable(schema, "tags") {
			steps = append(steps, withAllTags)
		}
		resource.PreCheckCallback = inTurn(steps)
	}
}

func settable(schema shim.SchemaMap, name string) bool {
	property, ok := schema.GetOk(name)
	return ok && (property.Optional() || property.Required()) && property.Deprecated() == ""
}

func inTurn(steps []bridge.PreCheckCallback) bridge.PreCheckCallback {
	return func(
		ctx context.Context, inputs, configuration resource.PropertyMap,
	) (resource.PropertyMap, error) {
		for _, step := range steps {
			completed, err := step(ctx, inputs, configuration)
			if err != nil {
				return nil, err
			}
			inputs = completed
		}
		return inputs, nil
	}
}

func withRegion(
	_ context.Context, inputs, configuration resource.PropertyMap,
) (resource.PropertyMap, error) {
	region, configured := configuration["region"]
	if !inputs.HasValue("region") && configured && !region.IsNull() {
		inputs = inputs.Copy()
		inputs["region"] = region
	}
	return inputs, nil
}

func withAllTags(
	_ context.Context, inputs, configuration resource.PropertyMap,
) (resource.PropertyMap, error) {
	completed := inputs.Copy()
	completed["tagsAll"] = allTags(inputs["tags"], configuration)
	return completed, nil
}

// allTags are the default tags and the resource's own, which win, without the ignored ones.
func allTags(tags resource.PropertyValue, configuration resource.PropertyMap) resource.PropertyValue {
	if tags.ContainsUnknowns() || resource.NewObjectProperty(configuration).ContainsUnknowns() {
		return resource.MakeComputed(resource.NewObjectProperty(resource.PropertyMap{}))
	}
	all := resource.PropertyMap{}
	maps.Copy(all, object(object(configuration["defaultTags"])["tags"]))
	maps.Copy(all, object(tags))
	ignored := object(configuration["ignoreTags"])
	maps.DeleteFunc(all, func(key resource.PropertyKey, _ resource.PropertyValue) bool {
		return isAny(ignored["keys"], string(key), func(key, one string) bool { return key == one }) ||
			isAny(ignored["keyPrefixes"], string(key), strings.HasPrefix)
	})
	return resource.NewObjectProperty(all)
}

// object is the value's map, empty for anything else.
func object(value resource.PropertyValue) resource.PropertyMap {
	if value.IsObject() {
		return value.ObjectValue()
	}
	return nil
}

// isAny tells whether `is(text, one)` holds for one of the texts in a list.
func isAny(list resource.PropertyValue, text string, is func(text, one string) bool) bool {
	if !list.IsArray() {
		return false
	}
	for _, one := range list.ArrayValue() {
		if one.IsString() && is(text, one.StringValue()) {
			return true
		}
	}
	return false
}
