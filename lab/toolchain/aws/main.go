// The Terraform AWS provider behind Pulumi's bridge, as Pulumi's own AWS provider is made.
//
// Pulumi's build of it takes its upstream from a patched copy that is no Go module. The same
// upstream, unpatched, is one. It serves the types and functions that types.json names, under the
// tokens of Pulumi's SDK; differences.go has what Pulumi's provider sets otherwise than upstream.
package main

import (
	"context"
	"fmt"
	"os"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	bridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/pkg/v3/resource/provider"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// version is the SDK's version, which the linker sets: the engine compares the two.
var version = "0.0.0"

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println(version)
		return
	}
	if err := run(context.Background()); err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-resource-aws: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	types, err := readTable()
	if err != nil {
		return err
	}
	info, err := providerInfo(ctx, types)
	if err != nil {
		return err
	}
	schema, err := schemaOf(info)
	if err != nil {
		return err
	}
	return provider.MainContext(ctx, info.Name, serve(ctx, types, info, schema))
}

// serve makes the server once the engine is known.
func serve(
	ctx context.Context, types table, info bridge.ProviderInfo, schema []byte,
) func(*provider.HostClient) (rpc.ResourceProviderServer, error) {
	bridged := pf.MakeMuxedServer(ctx, info.Name, info, schema)
	return func(host *provider.HostClient) (rpc.ResourceProviderServer, error) {
		server, err := bridged(host)
		if err != nil {
			return nil, err
		}
		return withTable{ResourceProviderServer: server, types: types}, nil
	}
}
