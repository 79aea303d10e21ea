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
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	alone     = `health: {address: "127.0.0.1:0"}` + "\n" + `drain: {delay: 0s}`
	withAdmin = alone + "\n" + `admin: {address: "127.0.0.1:0", identity: a, operator: b, certificate: /nowhere/tls.crt, key: k, ca: c}`
)

func TestExitCodes(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	tests := map[string]struct {
		reason string
		args   []string
		code   int
		says   string
	}{
		"version":            {"a version is not a start", []string{"--version"}, 0, version},
		"no flags":           {"without a bootstrap there is nothing to be", nil, 2, "usage"},
		"unknown flag":       {"a misspelt flag must not be ignored", []string{"--bootstap", "x"}, 2, "bootstap"},
		"no such bootstrap":  {"the file is named", []string{"--bootstrap", "/nowhere/b.yaml"}, 2, "/nowhere/b.yaml"},
		"bad bootstrap":      {"file and field are named", []string{"--bootstrap", write("bad.yaml", "limits: {x: 1}")}, 2, "field x"},
		"nothing to serve":   {"neither an operator nor a file can ever give it a table", []string{"--bootstrap", write("alone.yaml", alone)}, 2, "admin"},
		"bad resources":      {"file, resource and field are named", []string{"--bootstrap", write("a.yaml", alone), "--resources", write("bad-r.yaml", "resources: [{listener: {prt: 1}}]")}, 2, `unknown field "prt"`},
		"no identity":        {"files that come from elsewhere may be missing at run time", []string{"--bootstrap", write("admin.yaml", withAdmin)}, 1, "/nowhere/tls.crt"},
		"clean start to end": {"a proxy that is asked to stop stops well", []string{"--bootstrap", write("b.yaml", alone), "--resources", write("r.yaml", "resources: []")}, 0, "stopped"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // Asked to stop before it has begun.
			var out bytes.Buffer
			if code := run(ctx, test.args, &out, &out); code != test.code {
				t.Errorf("%s: exit code %d, want %d", test.reason, code, test.code)
			}
			if !strings.Contains(out.String(), test.says) {
				t.Errorf("%s: %q does not say %q", test.reason, out.String(), test.says)
			}
		})
	}
}
