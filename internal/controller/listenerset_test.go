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
	"maps"
	"testing"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// openGateway takes ListenerSets of its namespace.
func openGateway(namespace, name string) *gatewayv1.Gateway {
	gateway := httpGateway(namespace, name)
	gateway.Spec.AllowedListeners = &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: new(gatewayv1.NamespacesFromSame)}}
	return gateway
}

func listenerSetOf(namespace, name, gateway string) *gatewayv1.ListenerSet {
	return &gatewayv1.ListenerSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: gatewayv1.ListenerSetSpec{
			ParentRef: gatewayv1.ParentGatewayReference{Name: gatewayv1.ObjectName(gateway)},
			Listeners: []gatewayv1.ListenerEntry{{Name: "http", Port: 8081, Protocol: gatewayv1.HTTPProtocolType}},
		},
	}
}

func routeToSet(namespace, name, set, service string) *gatewayv1.HTTPRoute {
	route := routeTo(namespace, name, set, service)
	route.Spec.ParentRefs[0].Kind = new(gatewayv1.Kind("ListenerSet"))
	return route
}

// setReasons polls for the reasons of a ListenerSet's Accepted and Programmed, with what is attached to its first listener.
func (w *world) setReasons(t *testing.T, set *gatewayv1.ListenerSet) func() ([]any, error) {
	return func() ([]any, error) {
		current := &gatewayv1.ListenerSet{}
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(set), current); err != nil {
			return nil, err
		}
		var reasons []any
		for _, condition := range current.Status.Conditions {
			reasons = append(reasons, condition.Reason)
		}
		for _, listener := range current.Status.Listeners {
			reasons = append(reasons, int(listener.AttachedRoutes))
		}
		return reasons, nil
	}
}

// attachedSets polls for a Gateway's count of ListenerSets.
func (w *world) attachedSets(t *testing.T, gateway *gatewayv1.Gateway) func() (*int32, error) {
	return func() (*int32, error) {
		current := &gatewayv1.Gateway{}
		err := w.Get(t.Context(), client.ObjectKeyFromObject(gateway), current)
		return current.Status.AttachedListenerSets, err
	}
}

// parents polls for a route's entries.
func (w *world) parents(t *testing.T, route *gatewayv1.HTTPRoute) func() ([]gatewayv1.RouteParentStatus, error) {
	return func() ([]gatewayv1.RouteParentStatus, error) {
		current := &gatewayv1.HTTPRoute{}
		err := w.Get(t.Context(), client.ObjectKeyFromObject(route), current)
		return current.Status.Parents, err
	}
}

func TestListenerSetIsServed(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway, set, route := openGateway(namespace, "web"), listenerSetOf(namespace, "extra", "web"), routeToSet(namespace, "shop", "extra", "cart")
	service, slice := backendService(namespace, "cart")
	w.create(t, gateway, route, service, slice)
	replica := w.run(t, gateway)
	listener, resource := "listener/listenerset/"+namespace+"/extra/http", "route/httproute/"+namespace+"/shop"

	w.create(t, set)
	g.Eventually(names(replica)).WithTimeout(patient).Should(And(HaveKey("listener/http"), HaveKey(listener), HaveKey(resource),
		HaveKey("endpoints/service/"+namespace+"/cart/80")))
	g.Eventually(w.setReasons(t, set)).WithTimeout(patient).Should(Equal([]any{"Accepted", "Programmed", 1}))
	g.Eventually(w.attachedSets(t, gateway)).WithTimeout(patient).Should(HaveValue(Equal(int32(1))))
	g.Eventually(w.parents(t, route)).WithTimeout(patient).Should(ConsistOf(HaveField("Conditions", ContainElement(HaveField("Reason", "Accepted")))))

	// Endpoints take their short way to what a ListenerSet's routes send to as well.
	w.takesTheShortWay(t, replica, slice, "endpoints/service/"+namespace+"/cart/80")

	allow := func(from gatewayv1.FromNamespaces) {
		t.Helper()
		g.Eventually(func() error {
			current := &gatewayv1.Gateway{}
			if err := w.Get(t.Context(), client.ObjectKeyFromObject(gateway), current); err != nil {
				return err
			}
			current.Spec.AllowedListeners.Namespaces.From = &from
			return w.Update(t.Context(), current)
		}).WithTimeout(patient).Should(Succeed())
	}
	allow(gatewayv1.NamespacesFromNone)
	g.Eventually(w.setReasons(t, set)).WithTimeout(patient).Should(Equal([]any{"NotAllowed", "NotAllowed"}))
	g.Eventually(names(replica)).WithTimeout(patient).ShouldNot(Or(HaveKey(listener), HaveKey(resource)))
	g.Eventually(w.attachedSets(t, gateway)).WithTimeout(patient).Should(HaveValue(BeZero()))
	g.Eventually(w.parents(t, route)).WithTimeout(patient).Should(ConsistOf(HaveField("Conditions", ContainElement(HaveField("Reason", "NoMatchingParent")))))

	allow(gatewayv1.NamespacesFromSame)
	g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey(listener))
	g.Expect(w.Delete(t.Context(), set)).To(Succeed())
	g.Eventually(names(replica)).WithTimeout(patient).ShouldNot(Or(HaveKey(listener), HaveKey(resource)))
	g.Eventually(w.parents(t, route)).WithTimeout(patient).Should(BeEmpty(), "entries go with their ListenerSet")

	again := listenerSetOf(namespace, "extra", "web")
	w.create(t, again)
	g.Eventually(names(replica)).WithTimeout(patient).Should(And(HaveKey(listener), HaveKey(resource)))
	g.Expect(w.Delete(t.Context(), gateway)).To(Succeed())
	g.Eventually(w.setReasons(t, again)).WithTimeout(patient).Should(Equal([]any{"ParentNotAccepted", "ParentNotProgrammed"}), "nothing claims to serve without a Gateway")
	g.Eventually(w.parents(t, route)).WithTimeout(patient).Should(BeEmpty(), "entries go with the Gateway of their ListenerSet")
}

// A ListenerSet that names another Gateway, which is not there, does not go on saying that it is served; what nobody has said anything
// about is left alone, as it may be for another controller.
func TestListenerSetMovesToNoGateway(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway, set, other := openGateway(namespace, "web"), listenerSetOf(namespace, "extra", "web"), listenerSetOf(namespace, "other", "gone")
	w.create(t, other, gateway, set)
	w.run(t, gateway)
	g.Eventually(w.setReasons(t, set)).WithTimeout(patient).Should(Equal([]any{"Accepted", "Programmed", 0}))
	move := func(to string) {
		t.Helper()
		moved := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"parentRef": {"name": "`+to+`"}}}`))
		g.Expect(w.Patch(t.Context(), set, moved)).To(Succeed())
	}
	move("gone")
	g.Eventually(w.setReasons(t, set)).WithTimeout(patient).Should(Equal([]any{"ParentNotAccepted", "ParentNotProgrammed"}))
	move("web")
	g.Eventually(w.setReasons(t, set)).WithTimeout(patient).Should(Equal([]any{"Accepted", "Programmed", 0}))
	g.Expect(w.setReasons(t, other)()).To(Equal([]any{"Pending", "Pending"}))
}

// An operator that has just started knows by who wrote what is said of a ListenerSet whether it has to take it back.
func TestListenerSetLosesItsGatewayWithoutAnOperator(t *testing.T) {
	g := NewWithT(t)
	environment, w, err := startAPI(crdDirectories(t)...)
	if environment != nil {
		t.Cleanup(func() { _ = environment.Stop() })
	}
	g.Expect(err).NotTo(HaveOccurred())
	w.create(t, gatewayClass(className, DefaultControllerName))
	namespace := w.tenant(t)
	gateway, set, other := openGateway(namespace, "web"), listenerSetOf(namespace, "extra", "web"), listenerSetOf(namespace, "other", "web")
	before := startOperator(t, w)
	w.create(t, gateway, set)
	w.run(t, gateway)
	g.Eventually(w.setReasons(t, set)).WithTimeout(patient).Should(Equal([]any{"Accepted", "Programmed", 0}))
	before.stop(t)

	// One of another controller, for a Gateway of that name that it thinks is still there.
	w.create(t, other)
	said := func(of string) metav1.Condition {
		return metav1.Condition{Type: of, Status: metav1.ConditionTrue, Reason: of, Message: "by another", LastTransitionTime: metav1.Now()}
	}
	other.Status.Conditions = []metav1.Condition{said("Accepted"), said("Programmed")}
	g.Expect(w.Status().Update(t.Context(), other, client.FieldOwner("example.com/other"))).To(Succeed())
	g.Expect(w.Delete(t.Context(), gateway)).To(Succeed())

	after := startOperator(t, w)
	defer after.stop(t)
	g.Eventually(w.setReasons(t, set)).WithTimeout(patient).Should(Equal([]any{"ParentNotAccepted", "ParentNotProgrammed"}))
	g.Consistently(w.setReasons(t, other)).WithTimeout(2 * settlePause).Should(Equal([]any{"Accepted", "Programmed"}))
}

// A ListenerSet follows the Secret and the grant that its listener needs, which are not the Gateway's.
func TestListenerSetFollowsItsSecret(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway, set := openGateway(namespace, "web"), listenerSetOf(namespace, "extra", "web")
	set.Spec.Listeners[0].Protocol = gatewayv1.HTTPSProtocolType
	set.Spec.Listeners[0].TLS = &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{{Name: "late"}}}
	w.create(t, gateway, set)
	replica := w.run(t, gateway)
	resolved := func() (string, error) {
		current := &gatewayv1.ListenerSet{}
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(set), current); err != nil || len(current.Status.Listeners) == 0 {
			return "", err
		}
		return apimeta.FindStatusCondition(current.Status.Listeners[0].Conditions, "ResolvedRefs").Reason, nil
	}
	g.Eventually(resolved).WithTimeout(patient).Should(Equal("InvalidCertificateRef"))
	w.create(t, tlsSecret(t, namespace, "late"))
	g.Eventually(resolved).WithTimeout(patient).Should(Equal("ResolvedRefs"))
	g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("certificate/secret/" + namespace + "/late"))
}

// ListenerSets are read while their CRD is there; without it everything else goes on.
func TestListenerSetCRDComesAndGoes(t *testing.T) {
	g, w := NewWithT(t), emptyWorld(t)
	install := func() {
		t.Helper()
		if _, err := envtest.InstallCRDs(w.config, envtest.CRDInstallOptions{Paths: crdDirectories(t), MaxTime: patient}); err != nil {
			t.Fatal(err)
		}
	}
	uninstall := func() {
		t.Helper()
		crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: listenerSetCRD}}
		g.Expect(w.Delete(t.Context(), crd)).To(Succeed())
		g.Eventually(func() bool {
			return apierrors.IsNotFound(w.Get(t.Context(), client.ObjectKeyFromObject(crd), crd))
		}).WithTimeout(patient).Should(BeTrue())
	}
	install()
	uninstall()
	w.create(t, gatewayClass(className, DefaultControllerName))
	namespace := w.tenant(t)
	gateway := openGateway(namespace, "web")
	service, slice := backendService(namespace, "cart")
	left := routeToSet(namespace, "left", "gone", "cart")
	w.create(t, service, slice, gateway, routeTo(namespace, "first", "web", "cart"), left)
	left.Status.Parents = []gatewayv1.RouteParentStatus{{
		ParentRef: left.Spec.ParentRefs[0], ControllerName: DefaultControllerName,
		Conditions: []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted", LastTransitionTime: metav1.Now()}},
	}}
	g.Expect(w.Status().Update(t.Context(), left)).To(Succeed())
	operator := startOperator(t, w)
	defer operator.stop(t)
	replica := w.run(t, gateway)
	g.Eventually(w.parents(t, left)).WithTimeout(patient).Should(BeEmpty(), "what went while no operator ran")
	g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("route/httproute/" + namespace + "/first"))

	for _, round := range []string{"once", "twice"} {
		install()
		set := listenerSetOf(namespace, round, "web")
		g.Eventually(func() error { return w.Create(t.Context(), set) }).WithTimeout(patient).Should(Succeed())
		through := routeToSet(namespace, "through-"+round, round, "cart")
		w.create(t, through)
		g.Eventually(names(replica)).WithTimeout(patient).Should(And(
			HaveKey("listener/listenerset/"+namespace+"/"+round+"/http"), HaveKey("route/httproute/"+namespace+"/through-"+round)))
		g.Eventually(w.parents(t, through)).WithTimeout(patient).Should(HaveLen(1))
		g.Eventually(func() int { return len(operator.inside.sets.remembered()) }).WithTimeout(patient).Should(Equal(1))

		uninstall()
		g.Eventually(w.parents(t, through)).WithTimeout(patient).Should(BeEmpty(), "entries go with the CRD of their ListenerSet")
		g.Eventually(func() int { return len(operator.inside.sets.remembered()) }).WithTimeout(patient).Should(BeZero(), "nothing is remembered of what is gone")
		g.Eventually(names(replica)).WithTimeout(patient).ShouldNot(HaveKey("listener/listenerset/" + namespace + "/" + round + "/http"))
		w.create(t, routeTo(namespace, "after-"+round, "web", "cart"))
		g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("route/httproute/" + namespace + "/after-" + round))
	}
}

func (s *listenerSets) remembered() map[types.NamespacedName]types.UID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.uids)
}
