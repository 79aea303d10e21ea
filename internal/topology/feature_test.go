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
	"slices"
	"strings"
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// notImplemented are the features of the Gateway API that are not claimed, and why.
var notImplemented = map[features.FeatureName]string{}

// probe is a world that uses a feature, and what shows that it is taken up.
type probe struct {
	world []string
	shows func(*topology.Topology) bool
}

const probeGateway = "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {listeners: [{name: http, port: 80, protocol: HTTP}, {name: other, port: 8080, protocol: HTTP, hostname: a.test}]}"

// ofRule probes an HTTPRoute with one rule.
func ofRule(rule string, shows func(*topology.Rule) bool) probe {
	return probe{
		world: []string{probeGateway,
			"kind: Service\nmetadata: {namespace: shop, name: cart}\nspec: {ports: [{port: 80}, {port: 81, appProtocol: kubernetes.io/h2c}, {port: 82, appProtocol: kubernetes.io/ws}]}",
			"kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [" + rule + "]}"},
		shows: func(built *topology.Topology) bool {
			route := &built.Routes[0]
			return route.Parents[0].Accepted.True() && route.Parents[0].ResolvedRefs.True() && shows(&route.Rules[0])
		},
	}
}

// ofGateway probes a Gateway with a listener of port 80 and whatever else.
func ofGateway(spec string, shows func(*topology.Topology) bool, more ...string) probe {
	return probe{
		world: append(more, "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {"+spec+"}"),
		shows: func(built *topology.Topology) bool { return built.Accepted.True() && shows(built) },
	}
}

func ruleProbes() map[features.FeatureName]probe {
	redirect := func(field string, shows func(*gatewayv1.HTTPRequestRedirectFilter) bool) probe {
		return ofRule("{filters: [{type: RequestRedirect, requestRedirect: {"+field+"}}]}", func(r *topology.Rule) bool { return shows(r.Filters[0].Redirect) })
	}
	status := func(code string, want int) probe {
		return redirect("statusCode: "+code, func(f *gatewayv1.HTTPRequestRedirectFilter) bool { return *f.StatusCode == want })
	}
	const mirror = "{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}%s}}"
	plain := strings.Replace(mirror, "%s", "", 1)
	return map[features.FeatureName]probe{
		features.SupportHTTPRoute:                      ofRule("{}", func(r *topology.Rule) bool { return len(r.Matches) == 1 }),
		features.SupportHTTPRouteMethodMatching:        ofRule("{matches: [{method: GET}]}", func(r *topology.Rule) bool { return *r.Matches[0].Method == "GET" }),
		features.SupportHTTPRouteQueryParamMatching:    ofRule("{matches: [{queryParams: [{name: a, value: b}]}]}", func(r *topology.Rule) bool { return r.Matches[0].QueryParams[0].Name == "a" }),
		features.SupportHTTPRouteNamedRouteRule:        ofRule("{name: first}", func(r *topology.Rule) bool { return r.Name == "first" }),
		features.SupportHTTPRoute303RedirectStatusCode: status("303", 303),
		features.SupportHTTPRoute307RedirectStatusCode: status("307", 307),
		features.SupportHTTPRoute308RedirectStatusCode: status("308", 308),
		features.SupportHTTPRoutePathRedirect:          redirect("path: {type: ReplaceFullPath, replaceFullPath: /x}", func(f *gatewayv1.HTTPRequestRedirectFilter) bool { return f.Path != nil }),
		features.SupportHTTPRoutePortRedirect:          redirect("port: 81", func(f *gatewayv1.HTTPRequestRedirectFilter) bool { return *f.Port == 81 }),
		features.SupportHTTPRouteSchemeRedirect:        redirect("scheme: https", func(f *gatewayv1.HTTPRequestRedirectFilter) bool { return *f.Scheme == "https" }),
		features.SupportHTTPRouteHostRewrite:           ofRule("{filters: [{type: URLRewrite, urlRewrite: {hostname: b.test}}]}", func(r *topology.Rule) bool { return r.Filters[0].Rewrite.Hostname != nil }),
		features.SupportHTTPRoutePathRewrite:           ofRule("{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /x}}}]}", func(r *topology.Rule) bool { return r.Filters[0].Rewrite.Path != nil }),
		features.SupportHTTPRouteRequestMirror:         ofRule("{filters: ["+plain+"]}", func(r *topology.Rule) bool { return r.Filters[0].Mirror.Backend.Reachable() }),
		features.SupportHTTPRouteRequestMultipleMirrors: ofRule("{filters: ["+plain+", "+plain+"]}", func(r *topology.Rule) bool {
			return r.Filters[0].Mirror != nil && r.Filters[1].Mirror != nil
		}),
		features.SupportHTTPRouteRequestPercentageMirror:          ofRule("{filters: ["+strings.Replace(mirror, "%s", ", percent: 20", 1)+"]}", func(r *topology.Rule) bool { return r.Filters[0].Mirror.Numerator == 20 }),
		features.SupportHTTPRouteCORS:                             ofRule("{filters: [{type: CORS, cors: {allowOrigins: [\"*\"]}}]}", func(r *topology.Rule) bool { return r.Filters[0].CORS != nil }),
		features.SupportHTTPRouteResponseHeaderModification:       ofRule("{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {remove: [a]}}]}", func(r *topology.Rule) bool { return r.Filters[0].ResponseHeaders != nil }),
		features.SupportHTTPRouteBackendRequestHeaderModification: ofRule("{backendRefs: [{name: cart, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}]}]}", func(r *topology.Rule) bool { return r.Backends[0].Filters[0].RequestHeaders != nil }),
		features.SupportHTTPRouteRequestTimeout:                   ofRule("{timeouts: {request: 1s}}", func(r *topology.Rule) bool { return r.Timeouts.Request > 0 }),
		features.SupportHTTPRouteBackendTimeout:                   ofRule("{timeouts: {backendRequest: 1s}}", func(r *topology.Rule) bool { return r.Timeouts.BackendRequest > 0 }),
		features.SupportHTTPRouteRetry:                            ofRule("{retry: {codes: [503], attempts: 3}}", func(r *topology.Rule) bool { return r.Retry.Attempts == 3 && len(r.Retry.Codes) == 1 }),
		features.SupportHTTPRouteRetryConnectionError:             ofRule("{retry: {attempts: 1}}", func(r *topology.Rule) bool { return r.Retry.Attempts == 1 }),
		features.SupportHTTPRouteRetryBackendTimeout:              ofRule("{retry: {attempts: 1}, timeouts: {backendRequest: 1s}}", func(r *topology.Rule) bool { return r.Retry.Attempts == 1 && r.Timeouts != nil }),
		features.SupportHTTPRouteBackendProtocolH2C:               ofRule("{backendRefs: [{name: cart, port: 81}]}", func(r *topology.Rule) bool { return r.Backends[0].Protocol == topology.H2C }),
		features.SupportHTTPRouteBackendProtocolWebSocket:         ofRule("{backendRefs: [{name: cart, port: 82}]}", func(r *topology.Rule) bool { return r.Backends[0].Protocol == topology.HTTP1 }),
	}
}

func otherProbes(t *testing.T) map[features.FeatureName]probe {
	t.Helper()
	chain, key := topologytest.KeyPair(t, "a.test")
	secret := topologytest.Secret("shop", "tls", chain, key)
	authorities := "kind: ConfigMap\nmetadata: {namespace: shop, name: ca}\ndata: {ca.crt: \"" + strings.ReplaceAll(string(chain), "\n", "\\n") + "\"}"
	const (
		plain   = "listeners: [{name: http, port: 80, protocol: HTTP}]"
		https   = "listeners: [{name: one, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}, {name: two, port: 443, protocol: HTTPS, hostname: a.test, tls: {certificateRefs: [{name: tls}]}}]"
		clients = ", tls: {frontend: {default: {validation: {%scaCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]}}}}"
		cart    = "kind: Service\nmetadata: {namespace: shop, name: cart}\nspec: {ports: [{port: 80}]}"
		route   = "kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web%s}], rules: [{backendRefs: [{name: cart, port: 80}]}]}"
		rpc     = "kind: GRPCRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [{name: first, matches: [{method: {service: s}}], backendRefs: [{name: cart, port: 80}]}]}"
		policy  = "kind: BackendTLSPolicy\nmetadata: {namespace: shop, name: p}\nspec: {targetRefs: [{group: \"\", kind: Service, name: cart}], validation: {hostname: a.test, wellKnownCACertificates: System, subjectAltNames: [{type: URI, uri: \"spiffe://x\"}]}}"
		set     = "kind: ListenerSet\nmetadata: {namespace: shop, name: s}\nspec: {parentRef: {name: web}, listeners: [{name: more, port: 81, protocol: HTTP}]}"
	)
	accepted := func(built *topology.Topology) bool { return built.Accepted.Reason == "Accepted" }
	backendTLS := func(built *topology.Topology) *topology.BackendTLS { return built.BackendTLS(built.Backends()[0]) }
	attachedTo := func(name gatewayv1.SectionName) func(*topology.Topology) bool {
		return func(built *topology.Topology) bool {
			attachments := built.Routes[0].Attachments
			return len(attachments) == 1 && attachments[0].Listener.Name == name
		}
	}
	hostnames := map[string]string{"TLSRoute": "hostnames: [a.test, b.test], "}
	const (
		ends   = "{name: e, port: 443, protocol: TLS, hostname: a.test, tls: {certificateRefs: [{name: tls}]}}"
		passes = "{name: p, port: 443, protocol: TLS, hostname: b.test, tls: {mode: Passthrough}}"
	)
	// stream probes a route of one listener or two, whose backends are spoken to so.
	stream := func(kind, listeners, service string, spoken ...topology.BackendProtocol) probe {
		return probe{
			world: []string{
				"kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {listeners: [" + listeners + "]}",
				"kind: Service\nmetadata: {namespace: shop, name: s}\nspec: {ports: [" + service + "]}",
				"kind: " + kind + "\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], " + hostnames[kind] + "rules: [{backendRefs: [{name: s, port: 53}]}]}",
				secret,
			},
			shows: func(built *topology.Topology) bool {
				backends := built.Backends()
				return slices.EqualFunc(backends, spoken, func(b topology.BackendRef, p topology.BackendProtocol) bool { return b.Protocol == p }) &&
					!slices.ContainsFunc(built.Own, func(l topology.Listener) bool { return l.AttachedRoutes != 1 || !l.Served() })
			},
		}
	}
	call := func(built *topology.Topology) bool {
		return built.Routes[0].Parents[0].Accepted.True() && built.Routes[0].Rules[0].Name == "first"
	}
	return map[features.FeatureName]probe{
		features.SupportGateway:                ofGateway(plain, accepted),
		features.SupportGatewayAddressEmpty:    ofGateway(plain+", addresses: [{type: IPAddress}]", accepted),
		features.SupportGatewayStaticAddresses: ofGateway(plain+", addresses: [{type: IPAddress, value: 10.0.0.1}]", accepted),
		features.SupportGatewayInfrastructure:  ofGateway(plain+", infrastructure: {labels: {a: b}}", accepted),
		features.SupportGatewayPort8080:        {world: []string{probeGateway}, shows: func(built *topology.Topology) bool { return slices.Equal(built.Ports(), []int32{80, 8080}) }},
		features.SupportGatewayHTTPListenerIsolation: {world: []string{probeGateway, cart, strings.Replace(route, "%s", ", sectionName: other", 1)}, shows: func(built *topology.Topology) bool {
			return attachedTo("other")(built) && built.Own[1].Hostname == "a.test"
		}},
		features.SupportGatewayHTTPSListenerDetectMisdirectedRequests: ofGateway(https, func(built *topology.Topology) bool { return built.Own[0].OverlappingTLSConfig != nil }, secret),
		features.SupportGatewayFrontendClientCertificateValidation:    ofGateway(https+strings.Replace(clients, "%s", "", 1), func(built *topology.Topology) bool { return built.Own[0].Clients != nil }, secret, authorities),
		features.SupportGatewayFrontendClientCertificateValidationInsecureFallback: ofGateway(https+strings.Replace(clients, "%s", "mode: AllowInsecureFallback, ", 1),
			func(built *topology.Topology) bool { return built.Own[0].Clients.InsecureFallback }, secret, authorities),
		features.SupportGatewayBackendClientCertificate: ofGateway(plain+", tls: {backend: {clientCertificateRef: {name: tls}}}", func(built *topology.Topology) bool { return len(built.ClientCertificate.Chain) > 0 }, secret),
		features.SupportListenerSet: ofGateway(plain+", allowedListeners: {namespaces: {from: Same}}", func(built *topology.Topology) bool {
			return len(built.ListenerSets) == 1 && built.ListenerSets[0].Accepted.True()
		}, set),
		features.SupportReferenceGrant: ofGateway(plain, func(built *topology.Topology) bool { return built.Routes[0].Parents[0].ResolvedRefs.True() },
			"kind: Service\nmetadata: {namespace: bank, name: cart}\nspec: {ports: [{port: 80}]}",
			"kind: ReferenceGrant\nmetadata: {namespace: bank, name: g}\nspec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: \"\", kind: Service}]}",
			"kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: cart, namespace: bank, port: 80}]}]}"),
		features.SupportBackendTLSPolicy:                 {world: []string{probeGateway, cart, strings.Replace(route, "%s", "", 1), policy}, shows: func(built *topology.Topology) bool { return backendTLS(built).System }},
		features.SupportBackendTLSPolicySANValidation:    {world: []string{probeGateway, cart, strings.Replace(route, "%s", "", 1), policy}, shows: func(built *topology.Topology) bool { return len(backendTLS(built).SubjectAltNames) == 1 }},
		features.SupportTCPRoute:                         stream("TCPRoute", "{name: l, port: 53, protocol: TCP}", "{port: 53}", topology.TCP),
		features.SupportTLSRoute:                         stream("TLSRoute", passes, "{port: 53}", topology.Passthrough),
		features.SupportTLSRouteModeTerminate:            stream("TLSRoute", ends, "{port: 53}", topology.TCP),
		features.SupportTLSRouteModeMixed:                stream("TLSRoute", ends+", "+passes, "{port: 53}", topology.TCP, topology.Passthrough),
		features.SupportUDPRoute:                         stream("UDPRoute", "{name: l, port: 53, protocol: UDP}", "{port: 53, protocol: UDP}", topology.UDP),
		features.SupportGRPCRoute:                        {world: []string{probeGateway, cart, rpc}, shows: call},
		features.SupportGRPCRouteNamedRouteRule:          {world: []string{probeGateway, cart, rpc}, shows: call},
		features.SupportHTTPRouteParentRefPort:           {world: []string{probeGateway, cart, strings.Replace(route, "%s", ", port: 80", 1)}, shows: attachedTo("http")},
		features.SupportHTTPRouteDestinationPortMatching: {world: []string{probeGateway, cart, strings.Replace(route, "%s", ", port: 8080", 1)}, shows: attachedTo("other")},
	}
}

// What is claimed is implemented, and what the Gateway API has beside that is known not to be: of a release with new features somebody
// has to say which they are.
func TestFeatures(t *testing.T) {
	probes := otherProbes(t)
	for name, p := range ruleProbes() {
		probes[name] = p
	}
	claimed := topology.Features(true)
	for _, name := range claimed {
		p, probed := probes[name]
		if !probed {
			t.Errorf("%s is claimed, and no probe shows that it is implemented", name)
			continue
		}
		if !p.shows(topology.Build(topologytest.Parse(t, p.world...).Input)) {
			t.Errorf("%s is claimed, and not taken up", name)
		}
		if why, not := notImplemented[name]; not {
			t.Errorf("%s is claimed, and listed as not implemented: %s", name, why)
		}
	}
	for name := range probes {
		if !slices.Contains(claimed, name) {
			t.Errorf("%s is implemented, and not claimed", name)
		}
	}
	for feature := range features.AllFeatures {
		if _, not := notImplemented[feature.Name]; !not && !slices.Contains(claimed, feature.Name) && !strings.HasPrefix(string(feature.Name), "Mesh") {
			t.Errorf("%s of the Gateway API is neither claimed nor listed as not implemented", feature.Name)
		}
	}
	standard := topology.Features(false)
	if !slices.IsSorted(claimed) || !slices.IsSorted(standard) || len(standard) >= len(claimed) {
		t.Errorf("%d features with the standard channel and %d with the experimental one, each list sorted", len(standard), len(claimed))
	}
}
