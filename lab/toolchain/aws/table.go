package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed types.json
var typesJSON []byte

//go:embed missing.txt
var missingText string

// table is types.json: by the token of Pulumi's SDK, the name in the Terraform provider.
type table struct {
	Resources map[string]string `json:"resources"`
	Functions map[string]string `json:"functions"`
}

func readTable() (table, error) {
	var types table
	if err := json.Unmarshal(typesJSON, &types); err != nil {
		return table{}, fmt.Errorf("types.json: %w", err)
	}
	return types, nil
}

// missing says which line the table needs; `section` is one of its two keys.
func missing(token, section string) error {
	text := strings.NewReplacer("{token}", token, "{section}", section).Replace(missingText)
	return fmt.Errorf("%s", strings.TrimSpace(text))
}
