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
	_ "embed"
	"fmt"

	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// schema is what kustomize needs to know to merge patches into the kinds that are rendered: of which lists the elements are
// merged, and by which key. It is what kustomize would know by itself, without the kinds, descriptions and paths that play no part
// here. Reading all of that takes some 50 MiB, which would be the most that an operator needs in its life.
//
//go:embed schema.json
var schema []byte

// primed is whether kustomize knows the schema. It is guarded by kustomizing, as kustomize's globals are.
var primed bool

// prime gives kustomize the schema, once. The lock is held.
func prime() error {
	if primed {
		return nil
	}
	openapi.SuppressBuiltInSchemaUse()
	if err := openapi.AddSchema(schema); err != nil {
		return fmt.Errorf("reading the embedded schema: %w", err)
	}
	primed = true
	return nil
}
