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
	"crypto/x509"
	"maps"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// lasting is streamHouse with a session of each kind, and with what is to change beside them. On the numbers 54 and 55 there is a
// session of one protocol, and a listener of the other.
type lasting struct {
	*house
	sessions map[string]*session
	want     map[string]string
	// kept are the routes of the sessions.
	keptTCP []*gatewayv1.TCPRoute
	keptUDP []*gatewayv1.UDPRoute
	keptTLS []*gatewayv1.TLSRoute
}

func newLasting(t *testing.T) *lasting {
	t.Helper()
	l := &lasting{house: streamHouse(t), want: map[string]string{}}
	l.input.Gateway.Spec.AllowedListeners = &gatewayv1.AllowedListeners{
		Namespaces: &gatewayv1.ListenerNamespaces{From: new(gatewayv1.NamespacesFromSame)},
	}
	l.input.Gateway.Spec.Listeners = append(l.input.Gateway.Spec.Listeners,
		streamListener("udp-54", 54, gatewayv1.UDPProtocolType, ""), streamListener("tcp-55", 55, gatewayv1.TCPProtocolType, ""))
	ended := l.secret(namespace, "end", "a.end.test", "b.end.test")
	l.secret(namespace, "web", "web.test")
	secret, passed := securedLines(t, "secret", "a.pass.test")
	l.streamService("kept", plainLines(t, "kept"), datagrams(t, "kept"))
	l.streamService("moved", plainLines(t, "moved"), datagrams(t, "moved"))
	l.streamService("secret", secret, 0)
	l.service(namespace, "web", backend(t, "web"))
	l.attach(route("web", nil, rule(prefix("/"), to("web", 1))))
	l.keptTCP = []*gatewayv1.TCPRoute{tcpRoute("kept", "tcp", "kept"), tcpRoute("kept-55", "tcp-55", "kept")}
	l.keptUDP = []*gatewayv1.UDPRoute{udpRoute("kept", "udp", "kept"), udpRoute("kept-54", "udp-54", "kept")}
	l.keptTLS = []*gatewayv1.TLSRoute{tlsRoute("pass", "a.pass.test", "secret"), tlsRoute("end", "a.end.test", "kept")}
	l.beside(nil, nil, nil)
	l.settle()
	l.begin(passed, ended)
	return l
}

// beside gives the Gateway other routes than those of the sessions.
func (l *lasting) beside(tcp []*gatewayv1.TCPRoute, udp []*gatewayv1.UDPRoute, tls []*gatewayv1.TLSRoute) {
	l.input.TCPRoutes, l.input.UDPRoutes, l.input.TLSRoutes = slices.Concat(l.keptTCP, tcp), slices.Concat(l.keptUDP, udp), slices.Concat(l.keptTLS, tls)
}

func (l *lasting) begin(passed, ended *x509.CertPool) {
	l.t.Helper()
	l.sessions = map[string]*session{
		"TCP": l.tcp(53), "UDP": l.udp(53), "TCP of a number with UDP": l.tcp(55), "UDP of a number with TCP": l.udp(54),
		"TLS that passes": l.tcp(443).over(passed, "a.pass.test"), "TLS that ends": l.tcp(443).over(ended, "a.end.test"),
	}
	for name, session := range l.sessions {
		l.want[name] = session.ask("x")
	}
}

// stays asks over each session.
func (l *lasting) stays(after string) {
	l.t.Helper()
	for name, session := range l.sessions {
		if got := session.ask("x"); got != l.want[name] {
			l.t.Errorf("%s: the session over %s answers %q, and %q before", after, name, got, l.want[name])
		}
	}
}

// through makes the changes one after the other.
func (l *lasting) through(changes []change) {
	l.t.Helper()
	for _, step := range changes {
		step.change()
		l.settle()
		l.stays(step.reason)
		if step.others == "" {
			continue
		}
		if got := l.tcp(54).ask("x"); got != step.others+" x" {
			l.t.Errorf("%s: new sessions of another route answer %q", step.reason, got)
		}
	}
}

type change struct {
	reason string
	change func()
	// others is what answers new sessions of another route afterwards; empty where nothing does.
	others string
}

// Changing or deleting one route never cuts a session of another, on the same listener, on another of the port, or elsewhere.
func TestChangesOfOtherRoutesCutNoSession(t *testing.T) {
	l := newLasting(t)
	others := func(services ...string) {
		passes, ends := tlsRoute("passes", "b.pass.test", "gone"), tlsRoute("ends", "b.end.test", "gone")
		for _, r := range []*gatewayv1.TLSRoute{passes, ends} {
			r.Spec.Rules[0].BackendRefs = nil
			for _, service := range services {
				r.Spec.Rules[0].BackendRefs = append(r.Spec.Rules[0].BackendRefs, streamTo(service))
			}
		}
		l.beside([]*gatewayv1.TCPRoute{tcpRoute("moved", "other", services...)},
			[]*gatewayv1.UDPRoute{udpRoute("moved", "spare", services[0])}, []*gatewayv1.TLSRoute{passes, ends})
	}
	far := gatewayv1.Namespace("far")
	l.through([]change{
		{"others come", func() { others("moved") }, "moved"},
		{"others go to the same backend", func() { others("kept") }, "kept"},
		{"others share it with another, and with one that is not there", func() { others("kept", "moved", "gone") }, ""},
		{"others go to the same backend at another weight", func() {
			others("kept")
			l.input.TCPRoutes[2].Spec.Rules[0].BackendRefs[0].Weight = new(int32(7))
			l.input.UDPRoutes[2].Spec.Rules[0].BackendRefs[0].Weight = new(int32(0))
			l.input.TLSRoutes[2].Spec.Rules[0].BackendRefs[0].Weight = new(int32(7))
		}, "kept"},
		{"others may not use their backend", func() {
			others("kept")
			l.input.TCPRoutes[2].Spec.Rules[0].BackendRefs[0].Namespace = &far
			l.input.UDPRoutes[2].Spec.Rules[0].BackendRefs[0].Namespace = &far
			l.input.TLSRoutes[2].Spec.Rules[0].BackendRefs[0].Namespace = &far
		}, ""},
		{"others ask for other names", func() {
			others("moved")
			l.input.TLSRoutes[2].Spec.Hostnames = []gatewayv1.Hostname{"*.pass.test"}
			l.input.TLSRoutes[3].Spec.Hostnames = []gatewayv1.Hostname{"*.end.test", "c.end.test"}
		}, "moved"},
		{"others are shadowed", func() {
			l.beside([]*gatewayv1.TCPRoute{tcpRoute("younger", "tcp", "moved"), tcpRoute("younger-55", "tcp-55", "kept")},
				[]*gatewayv1.UDPRoute{udpRoute("younger", "udp", "moved"), udpRoute("younger-54", "udp-54", "kept")},
				[]*gatewayv1.TLSRoute{tlsRoute("younger", "a.pass.test", "moved"), tlsRoute("younger-end", "a.end.test", "kept")})
		}, ""},
		{"others go", func() { l.beside(nil, nil, nil) }, ""},
		{"a route of requests comes to the port of TLS", func() {
			l.attach(route("more", []gatewayv1.Hostname{"web.test"}, rule(prefix("/more"), to("web", 1))))
		}, ""},
		{"all routes of requests go", func() { l.input.HTTPRoutes = nil }, ""},
		{"their Service goes", func() { delete(l.input.Services, types.NamespacedName{Namespace: namespace, Name: "moved"}) }, ""},
	})
}

// Neither does what becomes of other listeners, certificates, endpoints and parameters.
func TestChangesBesideRoutesCutNoSession(t *testing.T) {
	l := newLasting(t)
	listeners := l.input.Gateway.Spec.Listeners
	l.through([]change{
		{"other names of TLS come to the port", func() {
			l.input.Gateway.Spec.Listeners = append(slices.Clone(listeners), passing("passes", 443, "a.other.test"), secured("ends", "b.other.test", "web"))
		}, ""},
		{"more exact names of TLS come to the port", func() {
			exact := secured("ends", "c.end.test", "end")
			exact.Protocol = gatewayv1.TLSProtocolType
			l.input.Gateway.Spec.Listeners = append(slices.Clone(listeners), passing("passes", 443, "c.pass.test"), exact)
		}, ""},
		{"a ListenerSet comes to all ports", func() {
			l.input.Gateway.Spec.Listeners = listeners
			l.input.ListenerSets = []*gatewayv1.ListenerSet{{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "more"},
				Spec: gatewayv1.ListenerSetSpec{ParentRef: gatewayv1.ParentGatewayReference{Name: gatewayName}, Listeners: []gatewayv1.ListenerEntry{
					gatewayv1.ListenerEntry(passing("passes", 443, "a.other.test")), gatewayv1.ListenerEntry(streamListener("own", 56, gatewayv1.TCPProtocolType, "")),
					gatewayv1.ListenerEntry(streamListener("conflicts", 53, gatewayv1.TCPProtocolType, "")),
				}},
			}}
		}, ""},
		{"it goes", func() { l.input.ListenerSets = nil }, ""},
		{"listeners of the same number and another protocol go", func() {
			l.input.Gateway.Spec.Listeners = slices.DeleteFunc(slices.Clone(listeners), func(one gatewayv1.Listener) bool {
				return one.Name == "other" || one.Name == "spare"
			})
		}, ""},
		{"the listener of requests on the port of TLS goes", func() {
			l.input.Gateway.Spec.Listeners = slices.DeleteFunc(slices.Clone(listeners), func(one gatewayv1.Listener) bool { return one.Name == "https" })
		}, ""},
		{"all are back", func() { l.input.Gateway.Spec.Listeners = listeners }, ""},
		{"another certificate is renewed", func() { l.secret(namespace, "web", "web.test") }, ""},
		{"their own is renewed", func() { l.secret(namespace, "end", "a.end.test") }, ""},
		{"it breaks", func() { delete(l.input.Secrets, types.NamespacedName{Namespace: namespace, Name: "end"}) }, ""},
		{"another endpoint joins theirs", func() {
			key := types.NamespacedName{Namespace: namespace, Name: "kept"}
			before := l.slices[key]
			l.streamService("kept", plainLines(t, "joined"), datagrams(t, "joined"))
			l.slices[key] = append(l.slices[key], before...)
		}, ""},
		{"it goes", func() {
			key := types.NamespacedName{Namespace: namespace, Name: "kept"}
			l.slices[key] = l.slices[key][1:]
		}, ""},
	})
}

// Parameters hold from the next session on.
func TestParametersCutNoSession(t *testing.T) {
	l := newLasting(t)
	steps := map[string]*v1alpha1.GatewayParametersSpec{
		"endpoints are chosen otherwise": {Backends: &v1alpha1.Backends{Balancing: new(v1alpha1.BalancingLeastRequest), MaxConnections: new(int32(1))}},
		"fewer sessions than there are":  {Limits: &v1alpha1.Limits{MaxDatagramSessions: new(int32(1))}},
		"headers are sent":               {ProxyProtocol: &v1alpha1.ProxyProtocol{Send: []v1alpha1.ProxyProtocolSend{{Name: "kept"}, {Name: "secret"}}}},
		"headers are believed": {ProxyProtocol: &v1alpha1.ProxyProtocol{
			Accept: &v1alpha1.ProxyProtocolAccept{TrustedPeers: []v1alpha1.CIDR{"127.0.0.0/8"}},
		}},
		"hops are trusted": {TrustedHops: new(int32(1))},
		"none":             nil,
	}
	for _, name := range slices.Sorted(maps.Keys(steps)) {
		l.through([]change{{name, func() { l.parameters = steps[name] }, ""}, {"back after " + name, func() { l.parameters = nil }, ""}})
	}
}
