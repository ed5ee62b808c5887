// Pulumi's Kubernetes provider, started as its own main starts it.
//
// That main embeds two files which its release build generates. The module carries their sources,
// which the builder puts beside this executable under the names below.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

const (
	schemaFile  = "pulumi-resource-kubernetes.schema.json"
	mappingFile = "pulumi-resource-kubernetes.terraform-mapping.json"
)

func main() {
	schema, mapping, err := load()
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-resource-kubernetes: %v\n", err)
		os.Exit(1)
	}
	provider.Serve("kubernetes", version.Version, schema, mapping)
}

// load returns the schema, stamped with the provider's version, and the Terraform mapping.
func load() (schema, mapping []byte, err error) {
	// The folder of the executable itself, also when a plugin folder only links to it.
	executable, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	folder := filepath.Dir(executable)
	unversioned, err := os.ReadFile(filepath.Join(folder, schemaFile))
	if err != nil {
		return nil, nil, err
	}
	schema, err = stamp(unversioned)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", schemaFile, err)
	}
	mapping, err = os.ReadFile(filepath.Join(folder, mappingFile))
	return schema, mapping, err
}

// stamp sets the top-level key "version" of a package schema and leaves the rest as it is.
func stamp(schema []byte) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(schema, &fields); err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(version.Version)
	if err != nil {
		return nil, err
	}
	fields["version"] = quoted
	return json.Marshal(fields)
}
