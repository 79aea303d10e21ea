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
	"fmt"
	"io/fs"

	"sigs.k8s.io/gateway-api/conformance/utils/kubernetes"
	"sigs.k8s.io/yaml"
)

const (
	// httpsGateway has HTTPS listeners only. The setup waits for it from the moment on that httpsTest is meant to pass.
	httpsGateway = "same-namespace-with-https-listener"
	httpsTest    = "HTTPRouteHTTPSListener"

	officialBase     = "base/manifests.yaml"
	documentSplitter = "\n---\n"
)

// BaseManifests returns the suite's base manifests with one difference: the Gateways that are named in unready carry the
// suite's own annotation that excludes them from the readiness checks of its setup. They are applied, and tests that use
// them fail as they should; without it, nothing at all would run until they are Programmed. Naming a Gateway that the base
// manifests do not have is an error.
func BaseManifests(official fs.FS, unready ...string) ([]byte, error) {
	text, err := fs.ReadFile(official, officialBase)
	if err != nil {
		return nil, fmt.Errorf("reading the suite's base manifests: %w", err)
	}
	documents := bytes.Split(text, []byte(documentSplitter))
	for _, name := range unready {
		if err := exclude(documents, name); err != nil {
			return nil, fmt.Errorf("excluding Gateway %s from the readiness checks: %w", name, err)
		}
	}
	return bytes.Join(documents, []byte(documentSplitter)), nil
}

// exclude annotates the one document that is the Gateway of that name.
func exclude(documents [][]byte, name string) error {
	for i, text := range documents {
		var object map[string]any
		if err := yaml.Unmarshal(text, &object); err != nil {
			return fmt.Errorf("decoding document %d: %w", i+1, err)
		}
		metadata, _ := object["metadata"].(map[string]any)
		if object["kind"] != "Gateway" || metadata["name"] != name {
			continue
		}
		annotations, _ := metadata["annotations"].(map[string]any)
		if annotations == nil {
			annotations = map[string]any{}
		}
		annotations[kubernetes.GatewayExcludedFromReadinessChecks] = "true"
		metadata["annotations"] = annotations
		changed, err := yaml.Marshal(object)
		if err != nil {
			return fmt.Errorf("encoding document %d: %w", i+1, err)
		}
		documents[i] = bytes.TrimRight(changed, "\n")
		return nil
	}
	return fmt.Errorf("the base manifests hold no Gateway of that name")
}
