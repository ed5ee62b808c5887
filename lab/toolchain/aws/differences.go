package main

import (
	"strings"

	bridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
)

// What Pulumi's AWS provider sets otherwise than the Terraform provider and the bridge do, for the
// types of the table, by their Terraform names. Most of it is names; a test compares those with
// the installed SDK.

// nameLength is the longest name that is made up where the program gives none: <name>-<7 hex>.
const nameLength = 255

type (
	fields = map[string]*bridge.SchemaInfo
	field  = bridge.SchemaInfo
)

var (
	// document may be given as an object; AWS wants the text of a JSON document.
	document = &field{Type: "string", Transform: bridge.TransformJSONDocument}
	// described stands where AWS insists on a description and the program gives none.
	described = &field{Default: &bridge.DefaultInfo{Value: "Managed by Pulumi"}}
	// single is an object where Terraform has a list of at most one.
	single = &field{MaxItemsOne: bridge.True()}
)

// named keeps a property's name in the singular, which the bridge would make a plural.
func named(name string) *field { return &field{Name: name} }

// several keeps a list of what Terraform has at most one of.
func several(name string) *field { return &field{Name: name, MaxItemsOne: bridge.False()} }

// configuration is the provider's own: `aws:` keys of the stack file.
var configuration = fields{
	"region": {Default: &bridge.DefaultInfo{EnvVars: []string{"AWS_REGION", "AWS_DEFAULT_REGION"}}},
	// A new region of AWS needs no new provider.
	"skip_region_validation": {Default: &bridge.DefaultInfo{Value: true}},
	// Wrong credentials are reported before anything is created.
	"skip_credentials_validation": {Default: &bridge.DefaultInfo{Value: false}},
	// Terraform wants a text.
	"skip_metadata_api_check": {Type: "boolean"},
	"access_key":              {Secret: bridge.True()},
	"secret_key":              {Secret: bridge.True()},
	"token":                   {Secret: bridge.True()},
}

var resourceDifferences = map[string]*bridge.ResourceInfo{
	"aws_cloudwatch_metric_alarm": {
		Fields: fields{"alarm_name": bridge.AutoName("name", nameLength, "-")},
	},
	"aws_default_security_group": {
		Fields: fields{"ingress": named("ingress"), "egress": named("egress")},
	},
	"aws_ecr_lifecycle_policy": {
		Fields: fields{"policy": document},
		// A repository has one: the new one would be the old one's, and go with it.
		DeleteBeforeReplace: true,
	},
	"aws_ecr_repository_policy": {Fields: fields{"policy": document}},
	"aws_eks_cluster": {
		Fields: fields{
			"certificate_authority": {Name: "certificateAuthority", MaxItemsOne: bridge.True()},
		},
	},
	"aws_eks_node_group": {
		Fields: fields{"node_group_name": bridge.AutoName("nodeGroupName", nameLength, "-")},
	},
	"aws_iam_role": {
		Fields: fields{
			"name":               bridge.AutoName("name", 64, "-"),
			"assume_role_policy": document,
		},
	},
	"aws_iam_role_policy": {Fields: fields{"policy": document}},
	"aws_iam_role_policy_attachment": {
		// Its new one is the same to AWS as its old one, with which it would be deleted.
		DeleteBeforeReplace: true,
	},
	"aws_kms_alias": {
		Fields: fields{
			"name": bridge.AutoNameWithCustomOptions("name", bridge.AutoNameOptions{
				Separator:     "-",
				Maxlen:        238,
				Randlen:       7,
				PostTransform: withAliasPrefix,
			}),
		},
	},
	"aws_route53_record": {
		Fields: fields{
			"name":                       named("name"),
			"alias":                      several("aliases"),
			"failover_routing_policy":    several("failoverRoutingPolicies"),
			"geolocation_routing_policy": several("geolocationRoutingPolicies"),
			"latency_routing_policy":     several("latencyRoutingPolicies"),
			"weighted_routing_policy":    several("weightedRoutingPolicies"),
		},
	},
	"aws_security_group": {
		Fields: fields{
			"description": described, "ingress": named("ingress"), "egress": named("egress"),
		},
	},
}

var functionDifferences = map[string]*bridge.DataSourceInfo{
	"aws_eks_cluster": {Fields: fields{"vpc_config": single}},
}

// withAliasPrefix: KMS takes an alias only with it.
func withAliasPrefix(_ *bridge.PulumiResource, name string) (string, error) {
	return "alias/" + strings.TrimPrefix(name, "alias/"), nil
}
