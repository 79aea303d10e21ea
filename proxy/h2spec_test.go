//go:build h2spec

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

package proxy

import (
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// The conformance suite for HTTP/2 against the whole proxy. H2SPEC names its binary.
func TestH2Spec(t *testing.T) {
	binary := os.Getenv("H2SPEC")
	if binary == "" {
		t.Fatal("H2SPEC is not set: run make test-h2spec")
	}
	ca := testca.New(t)
	p := start(t, new(table).certificate(t, ca, "c", "a.test").secured("secured", 443, "", "c").listener("plain", 80, "").
		backend("b", echo(t, "answered")).route("rs", "secured", "/", "b=1").route("rp", "plain", "/", "b=1").resources)
	for name, flags := range map[string][]string{"h2c": {address(t, p, 80)}, "TLS": {address(t, p, 443), "-t", "-k"}} {
		t.Run(name, func(t *testing.T) {
			host, port, err := net.SplitHostPort(flags[0])
			if err != nil {
				t.Fatal(err)
			}
			arguments := append([]string{"-h", host, "-p", port, "generic", "http2", "hpack"}, flags[1:]...)
			output, err := exec.Command(binary, arguments...).CombinedOutput()
			t.Logf("%s", output)
			if err != nil {
				t.Errorf("h2spec: %v", err)
			}
		})
	}
}
