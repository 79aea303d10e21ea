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

package conformance

import (
	"bytes"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"
	official "sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/utils/kubernetes"
	"sigs.k8s.io/yaml"
)

// decoded returns the documents of a manifest file by kind/namespace/name.
func decoded(t *testing.T, text []byte) map[string]map[string]any {
	t.Helper()
	objects := map[string]map[string]any{}
	for _, document := range bytes.Split(text, []byte(documentSplitter)) {
		var object map[string]any
		if err := yaml.Unmarshal(document, &object); err != nil {
			t.Fatalf("decoding: %v", err)
		}
		metadata, _ := object["metadata"].(map[string]any)
		namespace, _ := metadata["namespace"].(string)
		name, _ := metadata["name"].(string)
		kind, _ := object["kind"].(string)
		objects[kind+"/"+namespace+"/"+name] = object
	}
	return objects
}

func TestBaseManifests(t *testing.T) {
	before, err := fs.ReadFile(official.Manifests, officialBase)
	if err != nil {
		t.Fatal(err)
	}
	after, err := BaseManifests(official.Manifests, httpsGateway)
	if err != nil {
		t.Fatal(err)
	}
	want, got := decoded(t, before), decoded(t, after)
	// The annotation is all that may differ: anything else would make it another suite than the official one.
	key := "Gateway/gateway-conformance-infra/" + httpsGateway
	want[key]["metadata"].(map[string]any)["annotations"] = map[string]any{kubernetes.GatewayExcludedFromReadinessChecks: "true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("base manifests (-want +got):\n%s", diff)
	}

	if _, err := BaseManifests(official.Manifests, "nobody"); err == nil {
		t.Error("a Gateway that is not there was excluded: a renamed one would go unnoticed")
	}
}
