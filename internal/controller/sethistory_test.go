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

package controller

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// certificatePairs are Secrets with certificates, one of which ends while a history goes on.
func certificatePairs(t *testing.T, now time.Time) []*corev1.Secret {
	t.Helper()
	var pairs []*corev1.Secret
	for _, until := range []time.Duration{time.Hour, time.Minute, 2 * time.Hour} {
		chain, key := topologytest.KeyPairBetween(t, now.Add(-time.Hour), now.Add(until), "*.test")
		pairs = append(pairs, &corev1.Secret{Type: corev1.SecretTypeTLS, Data: map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: key}})
	}
	return pairs
}

// ofListeners is a ListenerSet, or what one depends on.
func (h *history) ofListeners() client.Object {
	few := 16
	if h.listeners {
		few = 8
	}
	switch h.IntN(few) {
	case 0:
		// What is no certificate leaves what was one.
		secret := h.pairs[h.IntN(len(h.pairs))].DeepCopy()
		secret.Namespace, secret.Name = h.pick("shop", "vault"), h.pick("one", "two")
		if h.IntN(4) == 0 {
			secret.Data[corev1.TLSPrivateKeyKey] = []byte("none")
		}
		return secret
	case 1:
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: h.pick("shop", "vault")}}
		if h.IntN(2) == 0 {
			namespace.Labels = map[string]string{"team": "blue"}
		}
		return namespace
	case 2, 3:
		return h.listenerSet("vault", "far")
	default:
		return h.listenerSet("shop", h.pick("extra", "more", "third"))
	}
}

// listenerSet has one listener or two, which may conflict with those of another.
func (h *history) listenerSet(namespace, name string) *gatewayv1.ListenerSet {
	set := listenerSetOf(namespace, name, h.pick("web", "web", "web", "other"))
	set.CreationTimestamp, set.Spec.ParentRef.Namespace = metav1.Unix(int64(h.IntN(3)), 0), new(gatewayv1.Namespace("shop"))
	set.Spec.Listeners = nil
	for i := range 1 + h.IntN(2) {
		l := gatewayv1.ListenerEntry{Name: gatewayv1.SectionName(fmt.Sprint("l", i)), Port: 80, Protocol: gatewayv1.HTTPProtocolType}
		l.Hostname = new(gatewayv1.Hostname(h.pick("a.test", "*.test", "b.test", "c.test")))
		switch h.IntN(12) {
		case 0:
			l.Port = 82
		case 1:
			l.Protocol, l.Port, l.Hostname = gatewayv1.TCPProtocolType, 81, nil
		case 2, 3, 4, 5:
			l.Port, l.Protocol = 443, gatewayv1.HTTPSProtocolType
			l.TLS = &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{{Name: gatewayv1.ObjectName(h.pick("one", "two"))}}}
			if h.IntN(3) == 0 {
				l.TLS.CertificateRefs[0].Namespace = new(gatewayv1.Namespace("vault"))
			}
		}
		switch h.IntN(8) {
		case 0:
			l.AllowedRoutes = &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{
				From: new(gatewayv1.NamespacesFromSelector), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "blue"}},
			}}
		case 1, 2, 3, 4:
			l.AllowedRoutes = &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: new(gatewayv1.NamespacesFromAll)}}
		}
		set.Spec.Listeners = append(set.Spec.Listeners, l)
	}
	return set
}

// listenerTexts are what is said about each listener and ListenerSet.
func listenerTexts(t *topology.Topology) []string {
	var texts []string
	for i := range t.Listeners {
		texts = append(texts, fmt.Sprintf("%+v", t.Listeners[i]))
	}
	for i := range t.ListenerSets {
		set := &t.ListenerSets[i]
		texts = append(texts, fmt.Sprintf("%s %s %+v", set.Key(), set.Object.ResourceVersion, set.Accepted))
	}
	return texts
}

// A ListenerSet comes and goes for which a Secret, or the labels of a namespace, are others than they were, of which nobody has told yet, or
// nobody is told.
func TestWhatAListenerSetMeetsIsReadAgain(t *testing.T) {
	cases := map[string]struct {
		reason string
		// change is what nobody tells of.
		change  func(h *history)
		carried bool
	}{
		"nothing": {reason: "what is named is what is known", change: func(*history) {}, carried: true},
		"secret": {
			reason: "another ListenerSet shows the certificate too, and would go on with the old one", change: func(h *history) { h.replace(h.secret("shop", "shared", 2)) },
		},
		"own secret":  {reason: "nobody else shows it", change: func(h *history) { h.replace(h.secret("shop", "own", 2)) }, carried: true},
		"lost secret": {reason: "what the other one is told of its Secret is another thing", change: func(h *history) { h.remove("*v1.Secret shop/shared") }},
		"labels": {
			reason: "nothing has chosen by labels until now",
			change: func(h *history) {
				h.replace(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "blue"}}})
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t, rand.New(rand.NewPCG(1, 1)))
			h.put(h.secret("shop", "shared", 0))
			h.put(h.secret("shop", "own", 0))
			other := shows("other", "other.test", "shared")
			h.put(other)
			h.reconcile()
			c.change(h)
			set := shows("new", "new.test", "shared", "own")
			set.Spec.Listeners[0].AllowedRoutes = &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{
				From: new(gatewayv1.NamespacesFromSelector), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "blue"}},
			}}
			h.put(set)
			h.tell(set)
			before := h.carried
			h.reconcile()
			if carried := h.carried > before; carried != c.carried {
				t.Errorf("%s: carried on is %t", c.reason, carried)
			}
			h.compare()
		})
	}
}

// A key that nothing names any more is not kept, whichever way it came to that.
func TestSecretOfAListenerSetThatGoesIsForgotten(t *testing.T) {
	for name, change := range map[string]func(h *history) client.Object{
		"goes":    func(h *history) client.Object { return h.remove("*v1.ListenerSet shop/other") },
		"changes": func(h *history) client.Object { return h.replace(shows("other", "other.test", "shared")) },
		"shows none": func(h *history) client.Object {
			plain := listenerSetOf("shop", "other", "web")
			plain.Spec.Listeners[0].Port, plain.Spec.Listeners[0].Hostname = 80, new(gatewayv1.Hostname("other.test"))
			return h.replace(plain)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t, rand.New(rand.NewPCG(1, 1)))
			h.put(h.secret("shop", "own", 0))
			h.put(h.secret("shop", "shared", 0))
			h.put(shows("other", "other.test", "own"))
			// It keeps the port.
			h.put(shows("first", "first.test", "shared"))
			h.reconcile()
			h.tell(change(h))
			h.reconcile()
			if h.carried != 1 {
				t.Fatal("the change was not carried on")
			}
			known := h.changes.loader.secrets.recall(h.gateway)
			if _, kept := known[types.NamespacedName{Namespace: "shop", Name: "own"}]; kept {
				t.Error("the Secret of the ListenerSet is remembered")
			}
			if _, kept := known[types.NamespacedName{Namespace: "shop", Name: "shared"}]; !kept {
				t.Error("the Secret that the other ListenerSet names is not remembered")
			}
			h.compare()
		})
	}
}

// A certificate is renewed.
func TestSecretOfListenerSetsChanges(t *testing.T) {
	cases := map[string]struct {
		reason  string
		sets    int
		gateway bool
		carried bool
	}{
		"of one":     {reason: "each tenant has a certificate of its own", sets: 1, carried: true},
		"of several": {reason: "all of them show the new one", sets: 3, carried: true},
		"of many":    {reason: "most of all is decided again", sets: setsOfSecret + 1},
		"of the Gateway too": {
			reason: "that proves itself to backends with it", sets: 1, gateway: true,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t, rand.New(rand.NewPCG(1, 1)))
			if c.gateway {
				h.changeGateway(func(g *gatewayv1.Gateway) {
					g.Spec.TLS = &gatewayv1.GatewayTLSConfig{Backend: &gatewayv1.GatewayBackendTLS{ClientCertificateRef: &gatewayv1.SecretObjectReference{Name: "own"}}}
				})
			}
			h.put(h.secret("shop", "own", 0))
			for i := range c.sets {
				h.put(shows(fmt.Sprint("set-", i), fmt.Sprintf("host-%d.test", i), "own"))
				h.put(routeToSet("shop", fmt.Sprint("route-", i), fmt.Sprint("set-", i), "a"))
			}
			h.reconcile()
			known := h.changes.records.known(h.gateway)
			clear(known.untold.sets)
			h.tell(h.replace(h.secret("shop", "own", 1)))
			h.reconcile()
			if carried := h.carried > 0; carried != c.carried {
				t.Errorf("%s: carried on is %t", c.reason, carried)
			}
			if len(known.untold.sets) != c.sets {
				t.Errorf("%d ListenerSets are told, want %d", len(known.untold.sets), c.sets)
			}
			h.compare()
		})
	}
}

// Something that a ListenerSet brings changes by time before anything else does.
func TestListenerSetThatChangesByTime(t *testing.T) {
	h := newHistory(t, rand.New(rand.NewPCG(1, 1)))
	h.changes.whole, h.changes.statuses = &pokes{}, &pokes{}
	h.put(h.secret("shop", "long", 0))
	h.put(h.secret("shop", "short", 1))
	h.put(shows("first", "first.test", "long"))
	h.reconcile()
	request := reconcile.Request{NamespacedName: h.gateway}
	again := func() time.Duration {
		result, err := h.changes.Reconcile(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		return result.RequeueAfter
	}
	if pause := again(); pause != 0 {
		t.Errorf("it is looked at again after %s, which is the Gateway's own reconcile's", pause)
	}
	set := shows("second", "second.test", "short")
	h.put(set)
	h.tell(set)
	for range 2 {
		if pause := again(); pause <= 0 || pause > 2*time.Minute {
			t.Errorf("it is looked at again after %s, and the certificate ends after a minute", pause)
		}
	}
	h.now = h.now.Add(time.Hour / 2)
	if _, carried, err := h.changes.carryOn(t.Context(), h.gateway); err != nil || carried {
		t.Errorf("what is over is carried on (%v)", err)
	}
}

func (h *history) changeGateway(change func(*gatewayv1.Gateway)) {
	h.t.Helper()
	gateway := &gatewayv1.Gateway{}
	if err := h.objects.Get(h.t.Context(), h.gateway, gateway); err != nil {
		h.t.Fatal(err)
	}
	change(gateway)
	if err := h.objects.Update(h.t.Context(), gateway); err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) secret(namespace, name string, pair int) *corev1.Secret {
	secret := h.pairs[pair].DeepCopy()
	secret.Namespace, secret.Name = namespace, name
	return secret
}

// shows is a ListenerSet that shows certificates for a host.
func shows(name, host string, secrets ...string) *gatewayv1.ListenerSet {
	set := listenerSetOf("shop", name, "web")
	l := gatewayv1.ListenerEntry{Name: "l", Port: 443, Protocol: gatewayv1.HTTPSProtocolType, Hostname: new(gatewayv1.Hostname(host)), TLS: &gatewayv1.ListenerTLSConfig{}}
	for _, secret := range secrets {
		l.TLS.CertificateRefs = append(l.TLS.CertificateRefs, gatewayv1.SecretObjectReference{Name: gatewayv1.ObjectName(secret)})
	}
	set.Spec.Listeners = []gatewayv1.ListenerEntry{l}
	return set
}

// remove has an object gone, and replace another one in its place.
func (h *history) remove(key string) client.Object {
	h.t.Helper()
	object := h.there[key]
	if err := h.objects.Delete(h.t.Context(), object.DeepCopyObject().(client.Object)); err != nil {
		h.t.Fatal(err)
	}
	delete(h.there, key)
	return object
}

func (h *history) replace(object client.Object) client.Object {
	h.t.Helper()
	h.remove(keyOf(object))
	h.put(object)
	return object
}

// A route that turns away from a ListenerSet, or goes, while that is not there concerns nobody, as it seems then.
func TestRouteThatLeftWhileItsListenerSetWasAway(t *testing.T) {
	for name, leave := range map[string]func(h *history, route *gatewayv1.HTTPRoute) client.Object{
		"turns away": func(h *history, _ *gatewayv1.HTTPRoute) client.Object {
			return h.replace(routeToSet("shop", "one", "elsewhere", "a"))
		},
		"goes": func(h *history, route *gatewayv1.HTTPRoute) client.Object { return h.remove(keyOf(route)) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t, rand.New(rand.NewPCG(1, 1)))
			h.put(h.secret("shop", "own", 0))
			set, route := shows("set", "a.test", "own"), routeToSet("shop", "one", "set", "a")
			h.put(set)
			h.put(route)
			h.reconcile()
			h.remove(keyOf(set))
			h.tell(leave(h, route))
			again := shows("set", "a.test", "own")
			h.put(again)
			h.tell(set)
			h.tell(again)
			h.reconcile()
			if h.carried != 1 {
				t.Fatal("the change was not carried on")
			}
			h.compare()
		})
	}
}
