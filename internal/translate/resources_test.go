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

package translate_test

import (
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"sigs.k8s.io/yaml"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

const (
	gateway = "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: [{name: http, port: 80, protocol: HTTP}]}"

	cart = `
kind: Service
metadata: {namespace: shop, name: cart}
spec: {ports: [{name: web, port: 80, targetPort: 8080}, {name: metrics, port: 9090}]}
`
	cartSlice = `
kind: EndpointSlice
metadata: {namespace: shop, name: cart-1, labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: metrics, port: 9090}, {name: web, port: 8080}]
endpoints: [{addresses: [10.0.0.2], conditions: {ready: true}}, {addresses: [10.0.0.1]}]
`
)

// table reads the resources that are wanted, as YAML in protobuf's JSON mapping.
func table(t *testing.T, text string) []*adminv1.Resource {
	t.Helper()
	encoded, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	wanted := &adminv1.Resources{}
	if err := protojson.Unmarshal(encoded, wanted); err != nil {
		t.Fatal(err)
	}
	return wanted.GetResources()
}

func resources(t *testing.T, world *topologytest.World) []*adminv1.Resource {
	t.Helper()
	got, err := translate.Resources(topology.Build(world.Input), world.Slices)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestResources(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.test")
	cases := map[string]struct {
		reason string
		world  []string
		want   string
	}{
		"no routes": {
			reason: "a listener without routes is still bound, and answers 404",
			world:  []string{gateway},
			want:   `resources: [{name: listener/http, listener: {port: 80, protocol: PROTOCOL_HTTP}}]`,
		},
		"listeners with TLS": {
			reason: "certificates are resources of their own, each once, in the listener's order; a Secret that is missing stands for what the proxies hold",
			world: []string{
				"kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: [" +
					"{name: a, port: 443, protocol: HTTPS, hostname: a.test, tls: {certificateRefs: [{name: tls}, {name: gone}]}}, " +
					"{name: b, port: 443, protocol: HTTPS, hostname: b.test, tls: {certificateRefs: [{name: tls}], options: {gateway.rauta.dev/min-version: \"1.3\", gateway.rauta.dev/alpn-protocols: http/1.1}}}, " +
					"{name: c, port: 443, protocol: HTTPS, hostname: c.test, tls: {certificateRefs: [{name: tls, namespace: vault}]}}, " +
					"{name: d, port: 8443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}], " +
					"tls: {frontend: {default: {}, perPort: [{port: 8443, tls: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]}}}]}}}",
				"kind: ConfigMap\nmetadata: {namespace: shop, name: ca}\ndata: {ca.crt: \"" + strings.ReplaceAll(string(chain), "\n", "\\n") + "\"}",
				topologytest.Secret("shop", "tls", chain, key), topologytest.Secret("vault", "tls", chain, key),
			},
			want: `
resources:
- {name: certificate/secret/shop/gone, certificate: {held: true}}
- {name: certificate/secret/shop/tls, certificate: {chain: ` + base64.StdEncoding.EncodeToString(chain) + `, key: ` + base64.StdEncoding.EncodeToString(key) + `}}
- {name: listener/a, listener: {port: 443, protocol: PROTOCOL_HTTPS, hostname: a.test, certificates: [certificate/secret/shop/tls, certificate/secret/shop/gone]}}
- {name: listener/b, listener: {port: 443, protocol: PROTOCOL_HTTPS, hostname: b.test, certificates: [certificate/secret/shop/tls], tls_options: {min_version: TLS_VERSION_1_3, alpn_protocols: [http/1.1]}}}
- {name: listener/d, listener: {port: 8443, protocol: PROTOCOL_HTTPS, certificates: [certificate/secret/shop/tls], client_validation: {authorities: ` + base64.StdEncoding.EncodeToString(chain) + `, insecure_fallback: true}}}
`,
		},
		"a route with all that is supported": {
			reason: "everything that a rule can say arrives, and what its Service has behind it",
			world: []string{gateway, cart, cartSlice, `
kind: HTTPRoute
metadata: {namespace: shop, name: r, creationTimestamp: "2026-01-02T03:04:05Z"}
spec:
  parentRefs: [{name: web}]
  hostnames: [a.test]
  rules:
  - name: first
    matches:
    - {path: {type: Exact, value: /a}, method: GET, headers: [{name: X, value: v}], queryParams: [{name: q, value: w}]}
    - {path: {type: PathPrefix, value: /b}}
    backendRefs: [{name: cart, port: 80, weight: 9}, {name: gone, port: 80}]
`},
			want: `
resources:
- name: backend/service/shop/cart/80
  backend: {protocol: BACKEND_PROTOCOL_HTTP1, endpoints: endpoints/service/shop/cart/80}
- name: endpoints/service/shop/cart/80
  endpoints: {endpoints: [{address: 10.0.0.1, port: 8080, state: ENDPOINT_STATE_READY}, {address: 10.0.0.2, port: 8080, state: ENDPOINT_STATE_READY}]}
- name: listener/http
  listener: {port: 80, protocol: PROTOCOL_HTTP}
- name: route/httproute/shop/r
  route:
    attachments: [{listener: listener/http, hostnames: [a.test]}]
    origin: {kind: HTTPRoute, namespace: shop, name: r, created: "2026-01-02T03:04:05Z"}
    rules:
    - name: first
      matches:
      - path: {type: PATH_MATCH_TYPE_EXACT, value: /a}
        method: GET
        headers: [{name: X, type: VALUE_MATCH_TYPE_EXACT, value: v}]
        queryParameters: [{name: q, type: VALUE_MATCH_TYPE_EXACT, value: w}]
      - path: {type: PATH_MATCH_TYPE_PREFIX, value: /b}
      backends: [{backend: backend/service/shop/cart/80, weight: 9}, {weight: 1}]
`,
		},
		"expressions and protocols": {
			reason: "expressions arrive as such; a Service's port is spoken to as its appProtocol says",
			world: []string{gateway, "kind: Service\nmetadata: {namespace: shop, name: rpc}\nspec: {ports: [{port: 80, appProtocol: kubernetes.io/h2c}]}", `
kind: HTTPRoute
metadata: {namespace: shop, name: r}
spec:
  parentRefs: [{name: web}]
  rules:
  - matches: [{path: {type: RegularExpression, value: "/a.*/"}, headers: [{type: RegularExpression, name: X, value: v+}], queryParams: [{type: RegularExpression, name: q, value: "w?"}]}]
    backendRefs: [{name: rpc, port: 80}]
`},
			want: `
resources:
- name: backend/service/shop/rpc/80/h2c
  backend: {protocol: BACKEND_PROTOCOL_H2C, endpoints: endpoints/service/shop/rpc/80}
- {name: endpoints/service/shop/rpc/80, endpoints: {}}
- {name: listener/http, listener: {port: 80, protocol: PROTOCOL_HTTP}}
- name: route/httproute/shop/r
  route:
    attachments: [{listener: listener/http}]
    origin: {kind: HTTPRoute, namespace: shop, name: r}
    rules:
    - matches:
      - path: {type: PATH_MATCH_TYPE_REGULAR_EXPRESSION, value: "/a.*/"}
        headers: [{name: X, type: VALUE_MATCH_TYPE_REGULAR_EXPRESSION, value: v+}]
        queryParameters: [{name: q, type: VALUE_MATCH_TYPE_REGULAR_EXPRESSION, value: "w?"}]
      backends: [{backend: backend/service/shop/rpc/80/h2c, weight: 1}]
`,
		},
		"a GRPCRoute": {
			reason: "a call is a request for /service/method, and its backend is spoken to with HTTP/2",
			world: []string{gateway, "kind: Service\nmetadata: {namespace: shop, name: rpc}\nspec: {ports: [{port: 80}]}", `
kind: GRPCRoute
metadata: {namespace: shop, name: r}
spec:
  parentRefs: [{name: web}]
  hostnames: [rpc.test]
  rules:
  - name: calls
    matches:
    - {method: {service: a.B, method: Get}}
    - {method: {service: a.B}}
    - {method: {method: List}}
    - {method: {type: RegularExpression, service: "c|d"}, headers: [{name: x, value: v}]}
    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [debug]}}]
    backendRefs: [{name: rpc, port: 80}]
`},
			want: `
resources:
- name: backend/service/shop/rpc/80/h2c
  backend: {protocol: BACKEND_PROTOCOL_H2C, endpoints: endpoints/service/shop/rpc/80}
- {name: endpoints/service/shop/rpc/80, endpoints: {}}
- {name: listener/http, listener: {port: 80, protocol: PROTOCOL_HTTP}}
- name: route/grpcroute/shop/r
  route:
    attachments: [{listener: listener/http, hostnames: [rpc.test]}]
    origin: {kind: GRPCRoute, namespace: shop, name: r}
    rules:
    - name: calls
      matches:
      - path: {type: PATH_MATCH_TYPE_EXACT, value: /a.B/Get}
      - path: {type: PATH_MATCH_TYPE_PREFIX, value: /a.B}
      - path: {type: PATH_MATCH_TYPE_LAST_ELEMENT, value: List}
      - path: {type: PATH_MATCH_TYPE_REGULAR_EXPRESSION, value: "/(?:c|d)/[^/]+"}
        headers: [{name: x, type: VALUE_MATCH_TYPE_EXACT, value: v}]
      filters: [{requestHeaders: {remove: [debug]}}]
      backends: [{backend: backend/service/shop/rpc/80/h2c, weight: 1}]
`,
		},
		"defaults and equivalents": {
			reason: "what is left out gets the API's default; a prefix ignores its trailing slash, an exact path does not; of equivalent names the first counts",
			world: []string{gateway, `
kind: HTTPRoute
metadata: {namespace: shop, name: r}
spec:
  parentRefs: [{name: web}]
  rules:
  - {}
  - matches:
    - {path: {type: PathPrefix, value: /a/}}
    - {path: {type: PathPrefix, value: /}}
    - {path: {value: /b/}}
    - {path: {type: Exact, value: /c/}}
    - {path: {type: Exact}}
    - {headers: [{name: Foo, value: first}, {name: bar, value: b}, {name: foo, value: second}]}
    - {queryParams: [{name: q, value: first}, {name: Q, value: other}, {name: q, value: second}]}
`},
			want: `
resources:
- {name: listener/http, listener: {port: 80, protocol: PROTOCOL_HTTP}}
- name: route/httproute/shop/r
  route:
    attachments: [{listener: listener/http}]
    origin: {kind: HTTPRoute, namespace: shop, name: r}
    rules:
    - matches: [{path: {type: PATH_MATCH_TYPE_PREFIX, value: /}}]
    - matches:
      - path: {type: PATH_MATCH_TYPE_PREFIX, value: /a}
      - path: {type: PATH_MATCH_TYPE_PREFIX, value: /}
      - path: {type: PATH_MATCH_TYPE_PREFIX, value: /b}
      - path: {type: PATH_MATCH_TYPE_EXACT, value: /c/}
      - path: {type: PATH_MATCH_TYPE_EXACT, value: /}
      - path: {type: PATH_MATCH_TYPE_PREFIX, value: /}
        headers: [{name: Foo, type: VALUE_MATCH_TYPE_EXACT, value: first}, {name: bar, type: VALUE_MATCH_TYPE_EXACT, value: b}]
      - path: {type: PATH_MATCH_TYPE_PREFIX, value: /}
        queryParameters: [{name: q, type: VALUE_MATCH_TYPE_EXACT, value: first}, {name: Q, type: VALUE_MATCH_TYPE_EXACT, value: other}]
`,
		},
		"unsupported rules": {
			reason: "a rule that is not supported keeps its requests from falling to the next one and answers 500; one that can match nothing is left out; neither brings its backends",
			world: []string{gateway, cart, cartSlice, `
kind: HTTPRoute
metadata: {namespace: shop, name: r}
spec:
  parentRefs: [{name: web}]
  rules:
  - {matches: [{path: {value: /admin}}], filters: [{type: Later}], backendRefs: [{name: cart, port: 80}]}
  - {matches: [{path: {type: RegularExpression, value: "/x("}}], backendRefs: [{name: cart, port: 80}]}
  - {matches: [{path: {type: RegularExpression, value: "/x("}}, {path: {value: /y}}], backendRefs: [{name: cart, port: 80}]}
  - {}
`},
			want: `
resources:
- {name: listener/http, listener: {port: 80, protocol: PROTOCOL_HTTP}}
- name: route/httproute/shop/r
  route:
    attachments: [{listener: listener/http}]
    origin: {kind: HTTPRoute, namespace: shop, name: r}
    rules:
    - matches: [{path: {type: PATH_MATCH_TYPE_PREFIX, value: /admin}}]
    - matches: [{path: {type: PATH_MATCH_TYPE_PREFIX, value: /y}}]
    - matches: [{path: {type: PATH_MATCH_TYPE_PREFIX, value: /}}]
`,
		},
		"nothing to serve": {
			reason: "listeners and routes that are not valid or not attached leave no trace",
			world: []string{
				"kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: [{name: tls, port: 443, protocol: TLS}, {name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}]}",
				cart, cartSlice,
				"kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: cart, port: 80}]}]}",
			},
			want: `resources: []`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := resources(t, topologytest.Parse(t, c.world...))
			for _, resource := range got {
				want, err := adminv1.Hash(resource)
				if err != nil || resource.GetHash() != want {
					t.Errorf("hash of %s is %q, want %q (%v)", resource.GetName(), resource.GetHash(), want, err)
				}
			}
			if diff := cmp.Diff(table(t, c.want), got, cmpopts.EquateEmpty(), protocmp.Transform(), protocmp.IgnoreFields(&adminv1.Resource{}, "hash")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestTextThatIsNotUTF8(t *testing.T) {
	world := topologytest.Parse(t, gateway, "kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [{matches: [{path: {value: /a}}]}]}")
	*world.HTTPRoutes[0].Spec.Rules[0].Matches[0].Path.Value = "/\xff"
	_, err := translate.Resources(topology.Build(world.Input), world.Slices)
	if err == nil || !strings.Contains(err.Error(), "route/httproute/shop/r") {
		t.Errorf("what cannot be encoded is an error that names the resource; got %v", err)
	}
}

// crowd is a world with several of everything whose order has no meaning.
var crowd = []string{
	"kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: [{name: http, port: 80, protocol: HTTP}, {name: wild, port: 80, protocol: HTTP, hostname: \"*.example.com\"}]}",
	cart, cartSlice, strings.ReplaceAll(cart, "name: cart", "name: basket"),
	strings.NewReplacer("name: cart-1", "name: cart-2", "10.0.0.2", "10.0.0.3").Replace(cartSlice),
	strings.NewReplacer("name: cart-1", "name: basket-1", "service-name: cart", "service-name: basket").Replace(cartSlice),
	"kind: HTTPRoute\nmetadata: {namespace: shop, name: a}\nspec: {parentRefs: [{name: web}], hostnames: [x.example.com, y.test], rules: [{backendRefs: [{name: cart, port: 80}, {name: basket, port: 80}]}]}",
	"kind: HTTPRoute\nmetadata: {namespace: shop, name: b}\nspec: {parentRefs: [{name: web, sectionName: wild}], rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}}}], backendRefs: [{name: cart, port: 9090}, {name: basket, port: 80, filters: [{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 9090}}}]}]}]}",
	"kind: HTTPRoute\nmetadata: {namespace: shop, name: c}\nspec: {parentRefs: [{name: web, sectionName: http}], rules: [{backendRefs: [{name: gone, port: 80}]}]}",
}

func TestResourcesAreDeterministic(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	world := topologytest.Parse(t, crowd...)
	before := world.Clone()
	first := encode(t, resources(t, world))
	if diff := cmp.Diff(before, world); diff != "" {
		t.Errorf("the objects are those of a shared cache and must not change (-before +after):\n%s", diff)
	}
	for range 50 {
		if !slices.Equal(first, encode(t, resources(t, world.Shuffle(random)))) {
			t.Fatal("an equal world in another order gives other bytes")
		}
	}
}

func encode(t *testing.T, resources []*adminv1.Resource) []byte {
	t.Helper()
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(&adminv1.Resources{Resources: resources})
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}
