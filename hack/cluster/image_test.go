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

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestConformanceTags(t *testing.T) {
	suite := t.TempDir()
	for name, content := range map[string]string{
		"base/manifests.yaml": "      containers:\n      - name: a\n        image: example.com/echo-basic:v1\n      - image: \"example.com/coredns:v2\"\n",
		"tests/one.yaml":      "          image: example.com/echo-basic:v1\n          image: example.com/echo-basic:v0\n",
		"tests/one.go":        "// image: example.com/not-a-manifest:v1\n",
		"mesh/manifests.yaml": "        image: example.com/echo-advanced:v1\n",
	} {
		if err := writeFile(filepath.Join(suite, name), content, os.FileMode(0o644)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := conformanceTags(suite)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"example.com/coredns:v2", "example.com/echo-basic:v0", "example.com/echo-basic:v1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: each image of the base and test manifests once, none of the mesh profile", got, want)
	}
}
