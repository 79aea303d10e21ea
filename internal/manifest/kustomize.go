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
	"fmt"
	"io/fs"
	"strings"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/yaml"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/config/proxy"
)

// kustomizing lets one run in at a time: kustomize keeps its OpenAPI schema in globals, and two runs at once panic. A run
// takes about 3 ms.
var kustomizing sync.Mutex

// maxCopied bounds how many bytes the copy operations of one JSON patch may make. Without it a few dozen operations that each copy
// an object into itself fill the memory.
const maxCopied = 64 << 10

// root is the directory of the kustomization in the file system in memory. No run sees the machine's own files.
const root = "/proxy"

// kustomize lays the generated overlay and then the users' patches over the base, and gives the wanted objects, unsorted.
func kustomize(generated map[string]fields, patches []v1alpha1.Patch) ([]*unstructured.Unstructured, error) {
	kustomization, err := kustomizationOf(generated, patches)
	if err != nil {
		return nil, err
	}
	disk, err := baseFiles()
	if err != nil {
		return nil, err
	}
	if err := disk.WriteFile(root+"/kustomization.yaml", kustomization); err != nil {
		return nil, fmt.Errorf("writing the kustomization: %w", err)
	}
	return run(disk)
}

// kustomizationOf lists the wanted resources and every patch in its order.
func kustomizationOf(generated map[string]fields, patches []v1alpha1.Patch) ([]byte, error) {
	k := types.Kustomization{
		TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
	}
	for _, kind := range kinds {
		patch, wanted := generated[kind]
		if !wanted {
			continue
		}
		k.Resources = append(k.Resources, strings.ToLower(kind)+".yaml")
		complete := fields{"apiVersion": apiVersions[kind], "kind": kind}
		for key, value := range patch {
			complete[key] = value
		}
		text, err := yaml.Marshal(complete)
		if err != nil {
			return nil, fmt.Errorf("encoding the overlay of %s: %w", kind, err)
		}
		k.Patches = append(k.Patches, types.Patch{
			Patch:   string(text),
			Target:  &types.Selector{ResId: resid.ResId{Gvk: resid.Gvk{Kind: kind}}},
			Options: &types.PatchArgs{AllowNameChange: true},
		})
	}
	for _, patch := range patches {
		text, err := patchText(patch)
		if err != nil {
			return nil, err
		}
		k.Patches = append(k.Patches, types.Patch{Patch: text, Target: selectorOf(patch.Target)})
	}
	text, err := yaml.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("encoding the kustomization: %w", err)
	}
	return text, nil
}

func selectorOf(t v1alpha1.PatchTarget) *types.Selector {
	return &types.Selector{ResId: resid.ResId{
		Gvk:  resid.Gvk{Group: t.Group, Version: t.Version, Kind: t.Kind},
		Name: t.Name,
	}}
}

// baseFiles is a new file system in memory that holds the embedded base.
func baseFiles() (filesys.FileSystem, error) {
	disk := filesys.MakeFsInMemory()
	for _, kind := range kinds {
		name := strings.ToLower(kind) + ".yaml"
		text, err := fs.ReadFile(proxy.Base, name)
		if err != nil {
			return nil, fmt.Errorf("reading the embedded base: %w", err)
		}
		if err := disk.WriteFile(root+"/"+name, text); err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return disk, nil
}

// run builds the kustomization. Patches are other people's text, and kustomize has panicked on odd YAML before: a panic is
// an error here, so that one Gateway's patch cannot end the operator that serves them all.
func run(disk filesys.FileSystem) (objects []*unstructured.Unstructured, err error) {
	kustomizing.Lock()
	defer kustomizing.Unlock()
	defer func() {
		if p := recover(); p != nil {
			objects, err = nil, fmt.Errorf("kustomize panicked: %v", p)
		}
	}()

	if err := prime(); err != nil {
		return nil, err
	}
	jsonpatch.AccumulatedCopySizeLimit = maxCopied
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, root)
	if err != nil {
		return nil, err
	}
	for _, resource := range built.Resources() {
		text, err := resource.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", resource.CurId(), err)
		}
		// Decoded this way integers are int64, as everything that takes an unstructured object expects.
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return nil, fmt.Errorf("decoding %s: %w", resource.CurId(), err)
		}
		objects = append(objects, object)
	}
	return objects, nil
}
