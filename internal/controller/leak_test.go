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
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// keeping finds the maps that are reached from a value and have a key in which a text stands.
type keeping struct {
	text  string
	seen  map[uintptr]bool
	found []string
}

// look goes through our own types, and the controllers that hold our reconcilers.
func (k *keeping) look(at string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() || v.Kind() == reflect.Pointer && k.seen[v.Pointer()] {
			return
		}
		if v.Kind() == reflect.Pointer {
			k.seen[v.Pointer()] = true
		}
		k.look(at, v.Elem())
	case reflect.Struct:
		of := v.Type().PkgPath()
		if !strings.Contains(of, "rauta-dev/rauta") && !strings.HasSuffix(of, "controller-runtime/pkg/internal/controller") {
			return
		}
		for i := range v.NumField() {
			k.look(at+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			k.look(at+"[]", v.Index(i))
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if strings.Contains(fmt.Sprint(entries.Key()), k.text) {
				k.found = append(k.found, at)
				break
			}
			k.look(at+"{}", entries.Value())
		}
	}
}

func keptOf(text string, from any) []string {
	k := &keeping{text: text, seen: map[uintptr]bool{}}
	k.look("", reflect.ValueOf(from))
	return k.found
}

// TestNothingIsKeptOfWhatIsGone has Gateways come and go with all that belongs to them. Whatever an operator remembers by name is
// forgotten then, and the number of its metrics is that from before.
func TestNothingIsKeptOfWhatIsGone(t *testing.T) {
	g := NewWithT(t)
	environment, w, err := startAPI(crdDirectories(t)...)
	if environment != nil {
		t.Cleanup(func() { _ = environment.Stop() })
	}
	g.Expect(err).NotTo(HaveOccurred())
	registry, skip := prometheus.NewRegistry(), true
	mgr, o, err := newManager(rest.CopyConfig(w.config), manager.Options{
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Controller: config.Controller{SkipNameValidation: &skip}, Logger: ctrl.Log,
	}, Options{ControllerName: DefaultControllerName, ProxyImage: "proxy:test", OperatorNamespace: operatorNamespace, Registerer: registry})
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	w.create(t, gatewayClass(className, DefaultControllerName))
	series := func() int {
		families, err := registry.Gather()
		g.Expect(err).NotTo(HaveOccurred())
		count := 0
		for _, family := range families {
			count += len(family.GetMetric())
		}
		return count
	}

	left := func() int {
		o.records.mu.Lock()
		defer o.records.mu.Unlock()
		return len(o.records.byGateway)
	}
	// The first shows what there is once everything has happened.
	before := 0
	for round := range 3 {
		tenants := make([]string, 1+round*7)
		for i := range tenants {
			tenants[i] = w.tenant(t)
			w.comeAndGo(t, tenants[i], i%2 == 0)
		}
		g.Eventually(left).WithTimeout(patient).Should(BeZero())
		if round == 0 {
			before = series()
		}
	}
	g.Consistently(left).WithTimeout(2 * settlePause).Should(BeZero())
	g.Expect(series()).To(Equal(before), "series of metrics")
	g.Expect(o.push.Gateways()).To(BeEmpty(), "sessions")
	cancel()
	g.Expect(<-ended).To(Succeed())
	// Nothing of the operator runs any more that could change what is looked at.
	g.Expect(keptOf("tenant-", o)).To(BeEmpty())
}

// comeAndGo makes a Gateway with routes of all kinds, a ListenerSet, a policy and a certificate, waits until all is decided, and
// deletes everything: the Gateway first, or last.
func (w *world) comeAndGo(t *testing.T, namespace string, gatewayFirst bool) {
	t.Helper()
	g := NewWithT(t)
	gateway := httpsGateway(namespace, "web", gatewayv1.SecretObjectReference{Name: "tls"})
	all := gatewayv1.NamespacesFromSame
	gateway.Spec.AllowedListeners = &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: &all}}
	service, slice := backendService(namespace, "own")
	set := &gatewayv1.ListenerSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "extra"}, Spec: gatewayv1.ListenerSetSpec{
		ParentRef: gatewayv1.ParentGatewayReference{Name: "web"},
		Listeners: []gatewayv1.ListenerEntry{{Name: "http", Port: 8080, Protocol: gatewayv1.HTTPProtocolType}},
	}}
	policy := &gatewayv1.BackendTLSPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "own"}, Spec: gatewayv1.BackendTLSPolicySpec{
		TargetRefs: []gatewayv1.LocalPolicyTargetReferenceWithSectionName{{LocalPolicyTargetReference: gatewayv1.LocalPolicyTargetReference{Kind: "Service", Name: "own"}}},
		Validation: gatewayv1.BackendTLSPolicyValidation{Hostname: "own.test", WellKnownCACertificates: new(gatewayv1.WellKnownCACertificatesSystem)},
	}}
	routes := []client.Object{routeTo(namespace, "one", "web", "own"), routeTo(namespace, "two", "web", "gone"), routeToSet(namespace, "three", "extra", "own")}
	w.create(t, append([]client.Object{service, slice, tlsSecret(t, namespace, "tls"), policy, gateway, set}, routes...)...)
	for _, route := range routes {
		g.Eventually(func(g Gomega) {
			found := &gatewayv1.HTTPRoute{}
			g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(route), found)).To(Succeed())
			g.Expect(found.Status.Parents).To(HaveLen(1))
		}).WithTimeout(patient).Should(Succeed())
	}
	// All kinds of statuses are written each time.
	g.Eventually(func(g Gomega) {
		g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(gateway), gateway)).To(Succeed())
		g.Expect(gateway.Status.Conditions).To(ContainElement(HaveField("ObservedGeneration", gateway.Generation)))
		g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(set), set)).To(Succeed())
		g.Expect(set.Status.Conditions).To(ContainElement(HaveField("ObservedGeneration", set.Generation)))
		g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(policy), policy)).To(Succeed())
		g.Expect(policy.Status.Ancestors).NotTo(BeEmpty())
	}).WithTimeout(patient).Should(Succeed())
	objects := append([]client.Object{gateway, service, slice, policy, set}, routes...)
	if !gatewayFirst {
		objects = append(objects[1:], gateway)
	}
	for _, object := range objects {
		g.Expect(client.IgnoreNotFound(w.Delete(t.Context(), object))).To(Succeed())
	}
}

// What a Gateway that stays keeps of routes that come and go with Services and namespaces of their own does not grow with their number.
func TestAGatewayThatStaysKeepsLittle(t *testing.T) {
	h := newHistory(t, nil)
	h.reconcile()
	known, most := h.changes.records.known(h.gateway), 0
	for i := range 600 {
		namespace := fmt.Sprint("tenant-", i)
		h.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
		service, slice := backendService(namespace, "own")
		route := routeTo(namespace, "one", "web", "own")
		route.Spec.ParentRefs[0].Namespace = new(gatewayv1.Namespace("shop"))
		objects := []client.Object{service, slice, route}
		for _, object := range objects {
			h.create(object)
			h.tellAny(object)
		}
		h.reconcile()
		// It was written, and has not come back into the cache.
		known.wrote("HTTPRoute", route)
		if known.decided.Find(topology.IDOf(route)) == nil {
			t.Fatal("the route is not there")
		}
		for _, object := range objects {
			if err := h.objects.Delete(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			h.tellAny(object)
		}
		h.reconcile()
		clear(known.untold.routes)
		most = max(most, known.grown(), len(known.bases))
	}
	if most > 2*spare {
		t.Errorf("%d are kept of 600 that went", most)
	}
	if h.carried < 10*h.decided {
		t.Errorf("%d changes were carried on and %d decided whole: little is kept because much is read again", h.carried, h.decided)
	}
	if len(known.decided.Routes) > 0 || len(h.handed.table) > 2 {
		t.Errorf("routes %v and resources %v are left", known.decided.Routes, h.handed.table)
	}
}

// tellAny tells of objects whose events are looked at, and of no others.
func (h *history) tellAny(object client.Object) {
	if _, is := object.(*discoveryv1.EndpointSlice); !is {
		h.tell(object)
	}
}
