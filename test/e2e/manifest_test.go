//go:build e2e

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

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// applyFile applies every object of a YAML file server-side, as `kubectl apply --server-side` does and in its name, so that a later `make deploy` meets no conflict.
func applyFile(ctx context.Context, path string) {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		Expect(err).NotTo(HaveOccurred())
		object := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal(document, &object.Object)).To(Succeed())
		if len(object.Object) == 0 {
			continue
		}
		apply := client.ApplyConfigurationFromUnstructured(object)
		Expect(k8s.Apply(ctx, apply, client.FieldOwner("kubectl"), client.ForceOwnership)).To(Succeed(),
			"applying %s %s of %s", object.GetKind(), object.GetName(), path)
	}
}

// applyFolder applies the objects of every YAML file in the folder, except kustomize's own.
func applyFolder(ctx context.Context, folder string) {
	GinkgoHelper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	Expect(err).NotTo(HaveOccurred())
	Expect(files).NotTo(BeEmpty(), "no YAML files in %s", folder)
	for _, file := range files {
		if filepath.Base(file) != "kustomization.yaml" {
			applyFile(ctx, file)
		}
	}
}
