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

package bootstrap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rendered is the file as the operator writes it.
const rendered = `
gateway: {namespace: shop, name: web}
admin: {address: ":19443", identity: spiffe://rauta.dev/gateway/shop/web, operator: spiffe://rauta.dev/operator, certificate: /etc/rauta/identity/tls.crt, key: /etc/rauta/identity/tls.key, ca: /etc/rauta/identity/ca.crt}
peers: {address: ":19444", name: web-rauta-peers.shop.svc}
health: {address: ":19081"}
log: {level: debug}
drain: {delay: 7s, timeout: 1m}
limits: {}
state: {directory: /var/lib/rauta}
`

func TestParse(t *testing.T) {
	full := Default()
	full.Gateway = Gateway{Namespace: "shop", Name: "web"}
	full.Admin = &Admin{
		Address: ":19443", Identity: "spiffe://rauta.dev/gateway/shop/web", Operator: "spiffe://rauta.dev/operator",
		Certificate: "/etc/rauta/identity/tls.crt", Key: "/etc/rauta/identity/tls.key", CA: "/etc/rauta/identity/ca.crt",
	}
	full.Peers = &Peers{Address: ":19444", Name: "web-rauta-peers.shop.svc"}
	full.Health.Address = ":19081"
	full.Log.Level = "debug"
	full.Drain = Drain{Delay: Duration(7 * time.Second), Timeout: Duration(time.Minute)}
	full.State.Directory = "/var/lib/rauta"
	limited := Default()
	limited.Limits.MaxConnections = 7
	tests := map[string]struct {
		reason string
		text   string
		want   *Bootstrap
		err    string
	}{
		"rendered":        {reason: "this is what the operator writes", text: rendered, want: full},
		"empty":           {reason: "everything has a default", text: "", want: Default()},
		"one limit":       {reason: "the other limits keep their defaults", text: "limits: {maxConnections: 7}", want: limited},
		"unknown field":   {reason: "a misspelt limit must not be a limit that is not there", text: "limits: {maxConnection: 7}", err: "maxConnection"},
		"level":           {reason: "a misspelt level must be seen at once", text: "log: {level: loud}", err: "log.level"},
		"duration":        {reason: "a number has no unit", text: "drain: {delay: 5}", err: `"5" is not a duration`},
		"negative":        {reason: "time does not go back", text: "drain: {delay: -5s}", err: "not a duration"},
		"limit of 0":      {reason: "0 would serve nobody", text: "limits: {maxConnections: 0}", err: "limits.maxConnections"},
		"address":         {reason: "a port alone is no address", text: "health: {address: 19080}", err: "health.address"},
		"admin, no files": {reason: "an admin API without proof of identity must not start", text: `admin: {address: ":1", identity: a, operator: b}`, err: "admin.certificate"},
		"peers alone": {
			reason: "replicas prove themselves to each other by the identity that admin names", text: `peers: {address: ":1", name: a}`, err: "peers: need",
		},
		"peers, no name": {
			reason: "without a name nobody is found, and nobody let in",
			text:   strings.Replace(rendered, ", name: web-rauta-peers.shop.svc", "", 1), err: "peers.name",
		},
		"peers, no port": {
			reason: "a name alone is no address",
			text:   strings.Replace(rendered, `":19444"`, "web", 1), err: "peers.address",
		},
		"not YAML": {reason: "what cannot be read is an error", text: "a: b: c", err: "yaml"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(test.text))
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%s: error %v, want one with %q", test.reason, err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestReadNamesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "b.yaml")
	if err := os.WriteFile(file, []byte("x: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + ".not-there"} {
		if _, err := Read(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v does not name %s", err, name)
		}
	}
}
