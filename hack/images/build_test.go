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
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a Go module with one small program, below a directory of its own.
func module(t *testing.T, message string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":           "module example.com/tiny\n\ngo 1.26.0\n",
		"cmd/tiny/main.go": "package main\n\nvar version string\n\nfunc main() { println(version, \"" + message + "\") }\n",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func tinyOrder(out string) order {
	return order{
		out: out, archs: []string{"amd64", "arm64"}, ldflags: "-X main.version=v1",
		images: []named{{repository: "rauta.dev/tiny", tag: "v1", pkg: "./cmd/tiny"}},
	}
}

func TestBuildIsReproducible(t *testing.T) {
	// The same source in two places, as two people would have it.
	first, second := t.TempDir(), t.TempDir()
	for _, out := range []string{first, second} {
		t.Chdir(module(t, "hello"))
		if err := tinyOrder(out).run(io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"tiny-amd64.tar", "tiny-arm64.tar"} {
		if err := same(filepath.Join(first, name), filepath.Join(second, name)); err != nil {
			t.Error(err)
		}
	}
	if err := same(filepath.Join(first, "tiny-amd64.tar"), filepath.Join(first, "tiny-arm64.tar")); err == nil {
		t.Error("images for two architectures are equal")
	}
}

func TestVerify(t *testing.T) {
	out := t.TempDir()
	t.Chdir(module(t, "hello"))
	order := tinyOrder(out)
	if err := order.run(io.Discard); err != nil {
		t.Fatal(err)
	}
	order.verify = true
	if err := order.run(io.Discard); err != nil {
		t.Errorf("verifying what was just built: %v", err)
	}
	t.Chdir(module(t, "changed"))
	if err := order.run(io.Discard); err == nil || !strings.Contains(err.Error(), "not reproducible") {
		t.Errorf("verifying against another source: %v, want a difference", err)
	}
}

func TestParseNamed(t *testing.T) {
	cases := map[string]struct {
		reason, arg string
		want        named
	}{
		"Plain":   {"The usual form.", "rauta.dev/rauta-proxy:dev=./cmd/proxy", named{"rauta.dev/rauta-proxy", "dev", "./cmd/proxy"}},
		"Port":    {"A registry may have a port.", "localhost:5000/p:v1=./cmd/p", named{"localhost:5000/p", "v1", "./cmd/p"}},
		"NoTag":   {"Without a tag one would overwrite \"latest\".", "localhost:5000/p=./cmd/p", named{}},
		"NoPath":  {"There is nothing to build.", "rauta.dev/p:v1=", named{}},
		"Nothing": {"A forgotten variable in a Makefile.", "=./cmd/p", named{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseNamed(tc.arg)
			if got != tc.want || (err == nil) != (tc.want != named{}) {
				t.Errorf("%s\nparseNamed(%q): got %+v, %v; want %+v", tc.reason, tc.arg, got, err, tc.want)
			}
		})
	}
}
