package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"slices"

	framework "github.com/hashicorp/terraform-plugin-framework/provider"
	sdk "github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-provider-aws/xpprovider"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	bridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/x/muxer"
	"github.com/pulumi/pulumi-terraform-bridge/v3/unstable/metadata"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// providerInfo is what the bridge is told about the provider: the table, with the differences.
func providerInfo(ctx context.Context, types table) (bridge.ProviderInfo, error) {
	older, newer, err := upstream(ctx)
	if err != nil {
		return bridge.ProviderInfo{}, err
	}
	info := bridge.ProviderInfo{
		P:            pf.MuxShimWithDisjointgPF(ctx, shimv2.NewProvider(older), newer),
		Name:         "aws",
		Version:      version,
		MetadataInfo: bridge.NewProviderMetadata(nil),
		Config:       configuration,
		Resources:    map[string]*bridge.ResourceInfo{},
		DataSources:  map[string]*bridge.DataSourceInfo{},
		// The framework's half would refuse what the older half accepts.
		SkipValidateProviderConfigForPluginFramework: true,
	}
	if err := addTable(&info, types); err != nil {
		return bridge.ProviderInfo{}, err
	}
	addInputs(&info, older)
	info.SetAutonaming(nameLength, "-")
	return info, dispatch(&info)
}

// upstream returns the halves of the Terraform provider: by its older SDK, and by its framework.
func upstream(ctx context.Context) (*sdk.Provider, framework.Provider, error) {
	log.SetOutput(io.Discard) // its constructors talk
	defer log.SetOutput(os.Stderr)
	newer, older, err := xpprovider.GetProvider(ctx)
	if err != nil {
		return nil, nil, err
	}
	// Unset it means Terraform 0.11, for which the provider acts otherwise.
	older.TerraformVersion = "1.0.0+compatible"
	return older, newer, nil
}

// addTable maps the types and functions of the table, and leaves all others out.
func addTable(info *bridge.ProviderInfo, types table) error {
	var unknown []string
	for token, name := range types.Resources {
		if _, ok := info.P.ResourcesMap().GetOk(name); !ok {
			unknown = append(unknown, name)
			continue
		}
		info.Resources[name] = resourceDifferences[name]
		if info.Resources[name] == nil {
			info.Resources[name] = &bridge.ResourceInfo{}
		}
		info.Resources[name].Tok = tokens.Type(token)
	}
	for token, name := range types.Functions {
		if _, ok := info.P.DataSourcesMap().GetOk(name); !ok {
			unknown = append(unknown, name)
			continue
		}
		info.DataSources[name] = functionDifferences[name]
		if info.DataSources[name] == nil {
			info.DataSources[name] = &bridge.DataSourceInfo{}
		}
		info.DataSources[name].Tok = tokens.ModuleMember(token)
	}
	if unknown != nil {
		slices.Sort(unknown)
		return fmt.Errorf("types.json: the Terraform AWS provider has no %v", unknown)
	}
	ignoreOthers(info)
	return nil
}

func ignoreOthers(info *bridge.ProviderInfo) {
	ignore := func(name string, _ shim.Resource) bool {
		info.IgnoreMappings = append(info.IgnoreMappings, name)
		return true
	}
	info.P.ResourcesMap().Range(ignore)
	info.P.DataSourcesMap().Range(ignore)
}

// dispatch notes which half serves which type, as Pulumi's build does beforehand.
func dispatch(info *bridge.ProviderInfo) error {
	halves, ok := info.P.(interface {
		ResolveDispatch(*bridge.ProviderInfo) (muxer.DispatchTable, error)
	})
	if !ok {
		return fmt.Errorf("%T cannot tell its halves apart", info.P)
	}
	resolved, err := halves.ResolveDispatch(info)
	if err != nil {
		return err
	}
	return metadata.Set(info.GetMetadata(), "mux", resolved)
}

// schemaOf generates Pulumi's schema of the package; the bridge checks inputs against it.
func schemaOf(info bridge.ProviderInfo) ([]byte, error) {
	silent := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
	spec, err := tfgen.GenerateSchema(info, silent)
	if err != nil {
		return nil, err
	}
	return json.Marshal(spec)
}
