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

package topology_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

func TestTLSOptions(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.test")
	secret := topologytest.Secret("shop", "tls", chain, key)
	const (
		minimum = "gateway.rauta.dev/min-version"
		maximum = "gateway.rauta.dev/max-version"
		alpn    = "gateway.rauta.dev/alpn-protocols"
	)
	cases := map[string]struct {
		reason  string
		options string
		// listener is another protocol and mode than HTTPS, which ends TLS.
		listener string
		want     *topology.TLSOptions
		message  string
	}{
		"none":                 {reason: "the proxy's choice", options: "{}"},
		"all":                  {reason: "each is served", options: `{` + minimum + `: "1.2", ` + maximum + `: "1.3", ` + alpn + `: "h2,http/1.1"}`, want: &topology.TLSOptions{MinVersion: topology.TLS12, MaxVersion: topology.TLS13, Protocols: []string{"h2", "http/1.1"}}},
		"only the newest":      {reason: "what auditors ask for", options: `{` + minimum + `: "1.3"}`, want: &topology.TLSOptions{MinVersion: topology.TLS13}},
		"only the oldest":      {reason: "what old clients need that fail with the newest", options: `{` + maximum + `: "1.2"}`, want: &topology.TLSOptions{MaxVersion: topology.TLS12}},
		"one protocol":         {reason: "what clients need that get on badly with HTTP/2", options: `{` + alpn + `: http/1.1}`, want: &topology.TLSOptions{Protocols: []string{"http/1.1"}}},
		"spaces":               {reason: "people write them, and names twice", options: `{` + alpn + `: "http/1.1, h2 , h2"}`, want: &topology.TLSOptions{Protocols: []string{"http/1.1", "h2"}}},
		"a weak version":       {reason: "it is not served, and asking for it must not go unheard", options: `{` + minimum + `: "1.1"}`, message: `tls.options["` + minimum + `"]: "1.1" is not supported; supported are 1.2 and 1.3`},
		"another spelling":     {reason: "it could mean anything", options: `{` + maximum + `: TLSv1.3}`, message: `tls.options["` + maximum + `"]: "TLSv1.3" is not supported; supported are 1.2 and 1.3`},
		"no version left":      {reason: "nobody could be served", options: `{` + minimum + `: "1.3", ` + maximum + `: "1.2"}`, message: `tls.options["` + maximum + `"]: "1.2" is below ` + minimum},
		"HTTP/2 alone":         {reason: "clients that say nothing speak HTTP/1.1, and would be let in", options: `{` + alpn + `: h2}`, message: `tls.options["` + alpn + `"]: "h2" leaves out http/1.1, which clients without ALPN speak`},
		"another protocol":     {reason: "there is no codec for it", options: `{` + alpn + `: "http/1.1,h3"}`, message: `tls.options["` + alpn + `"]: "h3" is not supported; supported are h2 and http/1.1`},
		"nothing":              {reason: "an empty value is a mistake", options: `{` + alpn + `: ""}`, message: `tls.options["` + alpn + `"]: "" is not supported; supported are h2 and http/1.1`},
		"of streams":           {reason: "TLS ends there too", options: `{` + minimum + `: "1.3"}`, listener: "protocol: TLS, tls: {certificateRefs: [{name: tls}]", want: &topology.TLSOptions{MinVersion: topology.TLS13}},
		"protocols of streams": {reason: "what they carry is nobody's concern", options: `{` + alpn + `: http/1.1}`, listener: "protocol: TLS, tls: {certificateRefs: [{name: tls}]", message: `tls.options["` + alpn + `"]: not supported on protocol TLS`},
		"passed through":       {reason: "the endpoint agrees with clients, and not the proxy", options: `{` + minimum + `: "1.3"}`, listener: "protocol: TLS, tls: {mode: Passthrough", message: `tls.options["` + minimum + `"]: not supported with tls.mode Passthrough, as nothing is agreed with clients here`},
		"somebody else's":      {reason: "what it would have done is not known here", options: `{` + minimum + `: "1.3", example.com/ciphers: strong}`, message: `tls.options["example.com/ciphers"]: not supported; supported are ` + alpn + ", " + maximum + " and " + minimum},
		"ours, but unknown":    {reason: "a misspelt key must not be passed over", options: `{gateway.rauta.dev/minversion: "1.3"}`, message: `tls.options["gateway.rauta.dev/minversion"]: not supported; supported are ` + alpn + ", " + maximum + " and " + minimum},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			listener := c.listener
			if listener == "" {
				listener = "protocol: HTTPS, tls: {certificateRefs: [{name: tls}]"
			}
			built := topology.Build(topologytest.Parse(t, "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {listeners: [{name: https, port: 443, "+listener+", options: "+
				c.options+"}}, {name: other, port: 444, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}]}", secret).Input)
			l := &built.Own[0]
			if diff := cmp.Diff(c.want, l.TLS); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if c.message == "" && !l.Served() || c.message != "" && (l.Served() || l.Accepted.Reason != "UnsupportedValue" || l.Accepted.Message != c.message) {
				t.Errorf("%s: %+v, want message %q", c.reason, l.Accepted, c.message)
			}
			if !built.Own[1].Served() || built.Own[1].TLS != nil {
				t.Error("options are a listener's own")
			}
		})
	}
}
