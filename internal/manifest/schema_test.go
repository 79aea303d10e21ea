/*
Copyright 2026 The RAUTA Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const definitions = "#/definitions/"

// builtIn has a function run with the schema that kustomize has in itself.
func builtIn(run func()) {
	kustomizing.Lock()
	defer kustomizing.Unlock()
	openapi.ResetOpenAPI()
	run()
	openapi.ResetOpenAPI()
	primed = false
}

// The schema is made of kustomize's own: go test ./internal/manifest -update. It fails for a kustomize that knows something else.
func TestSchemaIsKustomizes(t *testing.T) {
	const file = "schema.json"
	reduced := map[string]any{}
	builtIn(func() {
		for _, kind := range kinds {
			if found := openapi.SchemaForResourceType(yaml.TypeMeta{APIVersion: apiVersions[kind], Kind: kind}); found == nil {
				t.Logf("kustomize knows nothing of %s in %s", kind, apiVersions[kind])
				continue
			}
			for name, definition := range openapi.Schema().Definitions {
				if !strings.HasSuffix(name, "."+kind) {
					continue
				}
				whole, err := json.Marshal(definition)
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Contains(whole, []byte(gvkOf(kind))) {
					reduce(t, reduced, name)
				}
			}
		}
	})
	got := encodeSchema(t, reduced)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(got), string(schema)); diff != "" && !*update {
		t.Errorf("%s is not what kustomize knows (-want +got):\n%s", file, diff)
	}
}

// gvkOf is how a definition says which kind it is of.
func gvkOf(kind string) string {
	group, version, grouped := strings.Cut(apiVersions[kind], "/")
	if !grouped {
		group, version = "", group
	}
	return fmt.Sprintf(`{"group":%q,"kind":%q,"version":%q}`, group, kind, version)
}

// reduce takes a definition over, with all that it refers to.
func reduce(t *testing.T, into map[string]any, name string) {
	t.Helper()
	if _, done := into[name]; done {
		return
	}
	text, err := json.Marshal(openapi.Schema().Definitions[name])
	if err != nil {
		t.Fatal(err)
	}
	var definition map[string]any
	if err := json.Unmarshal(text, &definition); err != nil {
		t.Fatal(err)
	}
	strip(definition)
	into[name] = definition
	for _, other := range references(definition) {
		reduce(t, into, other)
	}
}

// strip drops from a schema what plays no part in merging.
func strip(schema map[string]any) {
	for key, value := range schema {
		switch {
		case key == "properties":
			for _, property := range value.(map[string]any) {
				strip(property.(map[string]any))
			}
		case key == "items" || key == "additionalProperties":
			if inner, ok := value.(map[string]any); ok {
				strip(inner)
			}
		case key == "type" || key == "format" || key == "$ref" || strings.HasPrefix(key, "x-kubernetes-"):
		default:
			delete(schema, key)
		}
	}
}

func references(value any) []string {
	var found []string
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if text, ok := value[key].(string); ok && key == "$ref" {
				found = append(found, strings.TrimPrefix(text, definitions))
				continue
			}
			found = append(found, references(value[key])...)
		}
	case []any:
		for _, element := range value {
			found = append(found, references(element)...)
		}
	}
	return found
}

// encodeSchema gives each definition a line.
func encodeSchema(t *testing.T, reduced map[string]any) []byte {
	t.Helper()
	var text bytes.Buffer
	text.WriteString(`{"definitions":{`)
	for i, name := range slices.Sorted(maps.Keys(reduced)) {
		definition, err := json.Marshal(reduced[name])
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "\n%q:%s", name, definition)
	}
	text.WriteString("\n}}\n")
	return text.Bytes()
}
