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

package cluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ApplyFile applies every object of a YAML file server-side, as `kubectl apply --server-side` does and in its name, so that a
// later `make deploy` meets no conflict.
func (c *Connection) ApplyFile(ctx context.Context, path string) error {
	text, err := os.ReadFile(path) //nolint:gosec // a manifest that the caller names
	if err != nil {
		return fmt.Errorf("read a manifest: %w", err)
	}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if len(object.Object) == 0 {
			continue
		}
		apply := client.ApplyConfigurationFromUnstructured(object)
		if err := c.Client.Apply(ctx, apply, client.FieldOwner("kubectl"), client.ForceOwnership); err != nil {
			return fmt.Errorf("apply %s %s of %s: %w", object.GetKind(), object.GetName(), path, err)
		}
	}
}

// ApplyFolder applies the objects of every YAML file in the folder, except kustomize's own.
func (c *Connection) ApplyFolder(ctx context.Context, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return fmt.Errorf("list %s: %w", folder, err)
	}
	if len(files) == 0 {
		return fmt.Errorf("there are no YAML files in %s", folder)
	}
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		if err := c.ApplyFile(ctx, file); err != nil {
			return err
		}
	}
	return nil
}
