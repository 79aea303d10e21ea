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
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// begin has what ListenerSets refer to in a world, of whose certificates one ends while its history goes on.
func (h *history) begin(t *testing.T) {
	t.Helper()
	if !h.sets {
		return
	}
	h.now = time.Now().Truncate(time.Second)
	for key, until := range map[types.NamespacedName]time.Duration{
		{Namespace: "shop", Name: "one"}: time.Hour, {Namespace: "shop", Name: "two"}: time.Minute, {Namespace: "vault", Name: "one"}: time.Hour,
		{Namespace: "bank", Name: "one"}: 2 * time.Hour,
	} {
		chain, private := topologytest.KeyPairBetween(t, h.now.Add(-time.Hour), h.now.Add(until), "a.example.com", "b.test")
		h.world.Secrets[key] = topology.ReadTLSSecret(&corev1.Secret{Type: corev1.SecretTypeTLS, Data: map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: private}})
	}
	allowed := h.world.Gateway.Spec.AllowedListeners.Namespaces
	if h.IntN(2) == 0 {
		allowed.From = new(gatewayv1.NamespacesFromAll)
	}
	if h.IntN(4) == 0 {
		// The Gateway proves itself to backends with what a ListenerSet shows to clients.
		h.world.Gateway.Spec.TLS = &gatewayv1.GatewayTLSConfig{Backend: &gatewayv1.GatewayBackendTLS{ClientCertificateRef: &gatewayv1.SecretObjectReference{Name: "one"}}}
	}
}

// secrets are those that something names.
func (h *history) secrets() map[types.NamespacedName]*topology.TLSSecret {
	named := map[types.NamespacedName]*topology.TLSSecret{}
	name := func(key types.NamespacedName) {
		if secret := h.world.Secrets[key]; secret != nil {
			named[key] = secret
		}
	}
	if ref := topology.ClientCertificateRef(h.world.Gateway); ref != nil {
		name(types.NamespacedName{Namespace: h.world.Gateway.Namespace, Name: string(ref.Name)})
	}
	for _, set := range h.world.ListenerSets {
		for _, key := range secretsOf(set) {
			name(key)
		}
	}
	return named
}

func secretsOf(set *gatewayv1.ListenerSet) []types.NamespacedName {
	var keys []types.NamespacedName
	for i := range set.Spec.Listeners {
		if tls := set.Spec.Listeners[i].TLS; tls != nil {
			for j := range tls.CertificateRefs {
				key, _ := topology.CertificateSecret(set.Namespace, &tls.CertificateRefs[j])
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// changeSets has a ListenerSet come, change or go, or several, with the routes that name them, and time pass.
func (h *history) changeSets(change *topology.Change) {
	if h.IntN(4) == 0 {
		h.now = h.now.Add(time.Duration(h.IntN(20)) * time.Second)
	}
	changed := map[types.NamespacedName]bool{}
	for range 1 + h.IntN(2) {
		key := types.NamespacedName{Namespace: "shop", Name: h.pick("extra", "more", "old", "new")}
		if h.IntN(4) == 0 {
			key = types.NamespacedName{Namespace: "bank", Name: h.pick("refused", "far")}
		}
		if changed[key] {
			continue
		}
		changed[key] = true
		h.world.ListenerSets = slices.DeleteFunc(slices.Clone(h.world.ListenerSets), func(s *gatewayv1.ListenerSet) bool {
			return s.Namespace == key.Namespace && s.Name == key.Name
		})
		if h.IntN(3) == 0 {
			change.GoneListenerSets = append(change.GoneListenerSets, key)
			continue
		}
		set := h.set(key)
		h.world.ListenerSets = append(h.world.ListenerSets, set)
		change.ListenerSets = append(change.ListenerSets, set)
		for _, secret := range secretsOf(set) {
			if secret.Namespace != key.Namespace && !h.referred[secret.Namespace] {
				h.referred[secret.Namespace] = true
				for _, grant := range h.grants {
					if grant.Namespace == secret.Namespace {
						change.Grants = append(change.Grants, grant)
					}
				}
			}
		}
	}
	change.Now, change.Secrets = h.now, h.secrets()
	for _, route := range h.routes {
		names := func(ref gatewayv1.ParentReference) bool {
			kind, key := topology.ParentOf(&ref, route.GetNamespace())
			return kind == topology.ListenerSetKind && changed[key]
		}
		if slices.ContainsFunc(topology.ParentRefsOf(route), names) && !slices.Contains(change.Routes, route) {
			change.Routes = append(change.Routes, route)
		}
	}
}

// set is a ListenerSet that may conflict with others.
func (h *history) set(key types.NamespacedName) *gatewayv1.ListenerSet {
	set := &gatewayv1.ListenerSet{ObjectMeta: metav1.ObjectMeta{
		Namespace: key.Namespace, Name: key.Name, CreationTimestamp: metav1.Unix(int64(h.IntN(4)), 0),
	}}
	set.Spec.ParentRef = gatewayv1.ParentGatewayReference{Name: "web", Namespace: new(gatewayv1.Namespace("shop"))}
	if h.IntN(8) == 0 {
		set.Spec.ParentRef.Name = "other"
	}
	for i := range 1 + h.IntN(3) {
		l := gatewayv1.ListenerEntry{Name: gatewayv1.SectionName(fmt.Sprint("l", i)), Protocol: gatewayv1.HTTPProtocolType}
		if i == 0 {
			l.Name = "one"
		}
		l.Port = gatewayv1.PortNumber(80 + h.IntN(4))
		l.Hostname = new(gatewayv1.Hostname(h.pick("", "a.example.com", "*.example.com", "b.test", "*.test")))
		switch h.IntN(8) {
		case 0:
			l.Protocol, l.Port, l.Hostname = gatewayv1.TCPProtocolType, gatewayv1.PortNumber(92+h.IntN(3)), nil
		case 1:
			l.Protocol, l.Port, l.Hostname = gatewayv1.UDPProtocolType, gatewayv1.PortNumber(92+h.IntN(3)), nil
		case 2, 3, 4:
			l.Protocol, l.Port = gatewayv1.ProtocolType(h.pick("HTTPS", "HTTPS", "TLS")), gatewayv1.PortNumber(443)
			l.TLS = &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{{Name: gatewayv1.ObjectName(h.pick("one", "two", "gone"))}}}
			if h.IntN(4) == 0 {
				l.TLS.CertificateRefs[0].Namespace = new(gatewayv1.Namespace("vault"))
			}
		}
		switch h.IntN(4) {
		case 0:
			l.AllowedRoutes = &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{
				From: new(gatewayv1.NamespacesFromSelector), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "blue"}},
			}}
		case 1, 2:
			l.AllowedRoutes = &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: new(gatewayv1.NamespacesFromAll)}}
		}
		set.Spec.Listeners = append(set.Spec.Listeners, l)
	}
	return set
}

// saidOfSets is what is said about each ListenerSet, but for the counts of its listeners.
func saidOfSets(t *topology.Topology) map[types.NamespacedName]topology.ListenerSet {
	said := map[types.NamespacedName]topology.ListenerSet{}
	for _, set := range t.ListenerSets {
		set.Listeners = slices.Clone(set.Listeners)
		for i := range set.Listeners {
			set.Listeners[i].AttachedRoutes = 0
		}
		said[set.Key()] = set
	}
	return said
}

// setsThatDiffer are those of which something else is said than before.
func setsThatDiffer(before, after map[types.NamespacedName]topology.ListenerSet) []types.NamespacedName {
	var differ []types.NamespacedName
	for key, set := range after {
		// Something else may be meant by what reads the same.
		if old, was := before[key]; !was || old.Object != set.Object || !reflect.DeepEqual(old, set) {
			differ = append(differ, key)
		}
	}
	return sortedSets(differ)
}

func sortedSets(keys []types.NamespacedName) []types.NamespacedName {
	byString := func(a, b types.NamespacedName) int { return cmpStrings(a.String(), b.String()) }
	return slices.SortedFunc(slices.Values(keys), byString)
}

func cmpStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// entrances are the listeners that are served, and the certificates.
type entrances struct {
	listeners    map[topology.ListenerKey]topology.Listener
	certificates map[types.NamespacedName]topology.Certificate
}

func entrancesOf(t *topology.Topology) entrances {
	of := entrances{map[topology.ListenerKey]topology.Listener{}, map[types.NamespacedName]topology.Certificate{}}
	for _, l := range t.Listeners {
		if l.Served() {
			l.AttachedRoutes, l.OverlappingTLSConfig = 0, nil
			of.listeners[l.ListenerKey] = l
		}
	}
	for _, certificate := range t.Certificates() {
		of.certificates[certificate.Secret] = certificate
	}
	return of
}

// sameEntrances holds that a difference has what becomes of the entrances: removals come first.
func sameEntrances(t *testing.T, before, after entrances, d *topology.Difference, built *topology.Topology) {
	t.Helper()
	for _, key := range d.Closed {
		delete(before.listeners, key)
	}
	for _, key := range d.Opened {
		l := *built.FindListener(key)
		l.AttachedRoutes, l.OverlappingTLSConfig = 0, nil
		before.listeners[key] = l
	}
	for _, secret := range d.Withdrawn {
		delete(before.certificates, secret)
	}
	for _, certificate := range d.Shown {
		before.certificates[certificate.Secret] = certificate
	}
	if !reflect.DeepEqual(before.listeners, after.listeners) {
		t.Errorf("listeners that are served (-want +got):\n%s", cmp.Diff(slices.Collect(maps.Keys(after.listeners)), slices.Collect(maps.Keys(before.listeners))))
	}
	if diff := cmp.Diff(after.certificates, before.certificates); diff != "" {
		t.Errorf("certificates that are shown (-want +got):\n%s", diff)
	}
}
