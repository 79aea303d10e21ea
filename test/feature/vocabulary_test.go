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

package feature

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/test/fixture"
)

// seen is what is known of one request, from both ends: "status", the "backend" that answered, the "host" and "target" that it got,
// "request X-Name" and "response X-Name" for fields, and how many "copies" mirrors got. Cases name what matters to them.
type seen map[string]string

// of is what was seen of that which matters to a case; what is not there is empty.
func (s seen) of(want seen) seen {
	of := seen{}
	for key := range want {
		of[key] = s[key]
	}
	return of
}

// httpCase is rules of an HTTPRoute with a hostname of its own, and what becomes of requests for it.
type httpCase struct {
	reason string
	rules  []gatewayv1.HTTPRouteRule
	asks   []httpAsk
}

type httpAsk struct {
	method, target string // GET and / when empty
	fields         []string
	want           seen
}

// filterCase is filters that a rule has or a backendRef, of which both are tried.
type filterCase struct {
	reason  string
	filters []gatewayv1.HTTPRouteFilter
	asks    []httpAsk
}

// onRule and onBackend have the filters in either place, of a rule for a prefix.
func (c *filterCase) onRule() httpCase {
	filtered := rule(prefix("/in/x"), to("a", 1))
	filtered.Filters = c.filters
	return httpCase{reason: c.reason, rules: []gatewayv1.HTTPRouteRule{filtered, beside}, asks: c.asks}
}

func (c *filterCase) onBackend() httpCase {
	filtered := rule(prefix("/in/x"), to("a", 1))
	filtered.BackendRefs[0].Filters = c.filters
	return httpCase{reason: c.reason, rules: []gatewayv1.HTTPRouteRule{filtered, beside}, asks: c.asks}
}

// beside is a rule that can be served, without which a route would not be accepted.
var beside = rule(exact("/beside"), to("b", 1))

// allHTTPCases by name, those of filters in both places.
func allHTTPCases() map[string]httpCase {
	all := maps.Clone(httpCases)
	for name, c := range httpFilterCases {
		all[name+", on the rule"], all[name+", on the backendRef"] = c.onRule(), c.onBackend()
	}
	return all
}

// copies counts what mirrors get, by host and target.
type copies struct {
	mu  sync.Mutex
	got map[string]int
}

func (c *copies) add(of string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[of]++
}

func (c *copies) count(of string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got[of]
}

// witness tells in its answer what it received.
func witness(t *testing.T, name string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for field, value := range map[string]string{"X-Backend": name, "X-Set": "backend", "X-Add": "backend", "X-Gone": "backend"} {
			w.Header().Set(field, value)
		}
		_ = json.NewEncoder(w).Encode(received{r.Host, r.RequestURI, r.Header})
	}))
	t.Cleanup(server.Close)
	return server
}

// witnesses are the backends of all cases: a and b that tell what they got, one that keeps silent, one that fails at the first
// request for each host, and a mirror whose copies are counted. Others of the cases do not exist.
func (h *house) witnesses() *copies {
	h.t.Helper()
	got := &copies{got: map[string]int{}}
	var failed sync.Map
	for name, handler := range map[string]http.HandlerFunc{
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"flaky": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Backend", "flaky")
			if _, again := failed.LoadOrStore(r.Host, true); !again {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		},
		"copies": func(_ http.ResponseWriter, r *http.Request) { got.add(r.Host + r.RequestURI) },
	} {
		server := httptest.NewServer(handler)
		h.t.Cleanup(server.Close)
		h.service(namespace, name, server)
	}
	h.service(namespace, "a", witness(h.t, "a"))
	h.service(namespace, "b", witness(h.t, "b"))
	h.service("vault", "b", witness(h.t, "vault/b"))
	grant := &gatewayv1.ReferenceGrant{}
	grant.Namespace = "vault"
	for _, kind := range []gatewayv1.Kind{"HTTPRoute", "GRPCRoute"} {
		grant.Spec.From = append(grant.Spec.From, gatewayv1.ReferenceGrantFrom{Group: gatewayv1.GroupName, Kind: kind, Namespace: namespace})
	}
	grant.Spec.To = []gatewayv1.ReferenceGrantTo{{Kind: "Service"}}
	h.input.Grants = append(h.input.Grants, grant)
	return got
}

// hostOf is the host of a case's own.
func hostOf(name string) string { return slug(name) + ".test" }

// slug makes a case's name one of objects.
func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
}

// TestHTTPVocabulary tries all that a rule of an HTTPRoute can say; TestVocabularyIsWhole sees to it that it is all.
func TestHTTPVocabulary(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	got := h.witnesses()
	cases := allHTTPCases()
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		host := hostOf(name)
		h.attach(route(host, []gatewayv1.Hostname{gatewayv1.Hostname(host)}, cases[name].rules...))
	}
	h.settle()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, ask := range c.asks {
				saw := h.exchange(hostOf(name), &ask)
				if copies, mirrored := ask.want["copies"]; mirrored && copies != "0" {
					want, _ := strconv.Atoi(copies)
					fixture.Eventually(t, "the mirror has all copies", func() bool { return got.count(saw["host"]+saw["target"]) == want })
					saw["copies"] = copies
				}
				if ask.want["copies"] == "0" {
					saw["copies"] = "0" // Looked at below, when others have arrived.
				}
				if diff := cmp.Diff(ask.want, saw.of(ask.want)); diff != "" {
					t.Errorf("%s: %s %s %v (-want +got):\n%s", c.reason, ask.method, ask.target, ask.fields, diff)
				}
			}
		})
	}
	for name, c := range cases {
		for _, ask := range c.asks {
			if count := got.count(hostOf(name) + ask.target); ask.want["copies"] == "0" && count != 0 {
				t.Errorf("%s: %s: the mirror got %d copies", name, c.reason, count)
			}
		}
	}
}

// exchange sends a request to the host of a case.
func (h *house) exchange(host string, ask *httpAsk) seen {
	h.t.Helper()
	method, target := ask.method, ask.target
	if method == "" {
		method = http.MethodGet
	}
	if target == "" {
		target = "/"
	}
	if method == http.MethodConnect {
		host, target = host+":443", "" // RFC 9110 section 9.3.6: the target is a host and a port.
	}
	response, got := h.ask(80, method, host, target, ask.fields...)
	saw := seen{"status": strconv.Itoa(response.StatusCode), "backend": response.Header.Get("X-Backend"), "host": got.Host, "target": got.Target}
	for name, values := range got.Header {
		saw["request "+name] = strings.Join(values, ",")
	}
	for name, values := range response.Header {
		saw["response "+name] = strings.Join(values, ",")
	}
	return saw
}
