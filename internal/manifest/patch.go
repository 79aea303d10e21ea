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
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// patchText checks a user's patch and completes it. A JSON patch (a list) is returned as it is understood. A strategic merge
// patch (an object) gets the apiVersion, kind and name that kustomize insists on; the target decides what is patched,
// so a parameters object that serves many Gateways need not know their names.
func patchText(patch v1alpha1.Patch) (string, error) {
	if err := oneDocument(patch.Patch); err != nil {
		return "", err
	}
	var content any
	if err := sigsyaml.UnmarshalStrict([]byte(patch.Patch), &content); err != nil {
		return "", fmt.Errorf("is neither YAML nor JSON: %w", err)
	}
	switch content := content.(type) {
	case []any:
		if len(content) == 0 {
			return "", errors.New("holds no operation")
		}
		return encodePatch(content)
	case map[string]any:
		if len(content) == 0 {
			return "", errors.New("is empty")
		}
		if err := completeMergePatch(content, patch.Target.Kind); err != nil {
			return "", err
		}
		return encodePatch(content)
	}
	return "", errors.New("must be an object (strategic merge patch) or a list (JSON patch)")
}

func completeMergePatch(content map[string]any, kind string) error {
	if given, found := content["kind"]; found && given != kind {
		return fmt.Errorf("is of kind %v and its target of kind %s", given, kind)
	}
	if given, found := content["apiVersion"]; found && given != apiVersions[kind] {
		return fmt.Errorf("is of apiVersion %v, and %s is generated as %s", given, kind, apiVersions[kind])
	}
	content["kind"], content["apiVersion"] = kind, apiVersions[kind]

	if content["metadata"] == nil {
		content["metadata"] = map[string]any{}
	}
	meta, isObject := content["metadata"].(map[string]any)
	if !isObject {
		return errors.New("has a metadata that is no object")
	}
	meta["name"] = "any" // the target names the object; kustomize only wants the field to be there
	return nil
}

func encodePatch(content any) (string, error) {
	text, err := sigsyaml.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("cannot be encoded: %w", err)
	}
	return string(text), nil
}

// oneDocument refuses a text of several YAML documents, of which all but the first would go unread.
func oneDocument(text string) error {
	decoder := yaml.NewDecoder(bytes.NewBufferString(text))
	documents := 0
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("is neither YAML nor JSON: %w", err)
		}
		documents++
	}
	if documents > 1 {
		return errors.New("holds several YAML documents; write one patch for each")
	}
	return nil
}

// patched runs kustomize and verifies the result. If the patches spoil it, the error is a *ParametersError that names the
// first that does; to find it the run is repeated with ever more patches, which only failure pays for.
func patched(in Input, s settings, generated map[string]fields) ([]*unstructured.Unstructured, error) {
	attempt := func(patches []v1alpha1.Patch) ([]*unstructured.Unstructured, error) {
		objects, err := kustomize(generated, patches)
		if err != nil {
			return nil, err
		}
		return objects, verify(in, s, generated, objects)
	}

	patches := in.Parameters.Patches
	objects, failure := attempt(patches)
	if failure == nil {
		return objects, nil
	}
	if _, err := attempt(nil); err != nil {
		return nil, err // not the patches' fault
	}
	for count := 1; count <= len(patches); count++ {
		if _, err := attempt(patches[:count]); err != nil {
			return nil, patchError(in, count-1, err)
		}
	}
	return nil, failure
}

// patchError names patch i of the merged list by its index in the object that it stands in.
func patchError(in Input, i int, cause error) *ParametersError {
	fromClass := i < in.ClassPatches
	if !fromClass {
		i -= in.ClassPatches
	}
	return &ParametersError{
		Field:     fmt.Sprintf("spec.patches[%d]", i),
		FromClass: fromClass,
		Message:   shorten(cause.Error()),
	}
}

// maxMessage bounds what an error quotes: kustomize repeats the whole patch, and the message goes into a condition.
const maxMessage = 512

func shorten(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + " ..."
}
