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

// Command bundle writes an OLM bundle from what kustomize renders of config/manifests:
//
//	kustomize build config/manifests | bundle -version 0.1.0 -output dist/bundle
//
// It does what `operator-sdk generate bundle` does for the objects that RAUTA has, since operator-sdk does not build
// from Go modules alone. Written are manifests/, metadata/, tests/scorecard/ and bundle.Dockerfile.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

func main() {
	version := flag.String("version", "", "semantic version of the bundle, without a leading v")
	channel := flag.String("channel", "alpha", "the bundle's channel, which is also its default channel")
	output := flag.String("output", "", "folder to write to")
	flag.Parse()
	if err := run(os.Stdin, *version, *channel, *output); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(r io.Reader, version, channel, output string) error {
	if output == "" {
		return errors.New("-output is needed")
	}
	objects, err := read(r)
	if err != nil {
		return err
	}
	made, err := assemble(objects, version)
	if err != nil {
		return err
	}
	files, err := made.files(channel)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(output, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("making the folder of %s: %w", name, err)
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		fmt.Println(path)
	}
	return nil
}

// read decodes a stream of YAML documents.
func read(r io.Reader) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	reader := yaml.NewYAMLReader(bufio.NewReader(r))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the rendered objects: %w", err)
		}
		object := &unstructured.Unstructured{}
		if err := sigsyaml.Unmarshal(document, &object.Object); err != nil {
			return nil, fmt.Errorf("decoding rendered object %d: %w", len(objects)+1, err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}
