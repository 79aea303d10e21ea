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
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/test/fixture"
)

func httpGateway(namespace, name string) *gatewayv1.Gateway {
	return &gatewayv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: gatewayv1.GatewaySpec{
			GatewayClassName: className,
			Listeners:        []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}},
		},
	}
}

func routeTo(namespace, name, gateway, service string) *gatewayv1.HTTPRoute {
	return &gatewayv1.HTTPRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: gatewayv1.ObjectName(gateway)}}},
			Rules: []gatewayv1.HTTPRouteRule{{BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
				BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(service), Port: new(gatewayv1.PortNumber(80))},
			}}}}},
		},
	}
}

func backendService(namespace, name string) (*corev1.Service, *discoveryv1.EndpointSlice) {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: namespace, Name: name + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: name}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(8080))}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"198.51.100.200"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}}},
	}
	return service, slice
}

// gatewayCondition polls for one condition of a Gateway.
func (w *world) gatewayCondition(t *testing.T, gateway *gatewayv1.Gateway, conditionType gatewayv1.GatewayConditionType) func() (*metav1.Condition, error) {
	return func() (*metav1.Condition, error) {
		current := &gatewayv1.Gateway{}
		err := w.Get(t.Context(), client.ObjectKeyFromObject(gateway), current)
		return apimeta.FindStatusCondition(current.Status.Conditions, string(conditionType)), err
	}
}

func isTrue() gomegatypes.GomegaMatcher { return HaveField("Status", metav1.ConditionTrue) }

func TestGatewayBecomesProgrammed(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway, route := httpGateway(namespace, "web"), routeTo(namespace, "shop", "web", "cart")
	service, slice := backendService(namespace, "cart")
	w.create(t, service, slice, gateway, route)

	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionAccepted)).WithTimeout(patient).Should(isTrue())
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionProgrammed)).WithTimeout(patient).
		Should(HaveField("Status", metav1.ConditionFalse), "nothing serves yet")
	replica := w.run(t, gateway)
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionProgrammed)).WithTimeout(patient).Should(And(
		isTrue(), HaveField("Message", ContainSubstring("1 of 1 ready replicas"))))

	g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(gateway), gateway)).To(Succeed())
	g.Expect(gateway.Status.Addresses).To(ConsistOf(HaveField("Value", "192.0.2.10")))
	// These are told by themselves.
	g.Eventually(func(g Gomega) {
		g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(gateway), gateway)).To(Succeed())
		g.Expect(gateway.Status.Listeners).To(ConsistOf(HaveField("AttachedRoutes", int32(1))))
		g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(route), route)).To(Succeed())
		g.Expect(route.Status.Parents).To(HaveLen(1))
		for _, condition := range []gatewayv1.RouteConditionType{gatewayv1.RouteConditionAccepted, gatewayv1.RouteConditionResolvedRefs} {
			g.Expect(apimeta.IsStatusConditionTrue(route.Status.Parents[0].Conditions, string(condition))).To(BeTrue(), string(condition))
		}
	}).WithTimeout(patient).Should(Succeed())
	g.Eventually(names(replica)).WithTimeout(patient).Should(And(HaveKey("listener/http"), HaveKey("route/httproute/"+namespace+"/shop"),
		HaveKey("backend/service/"+namespace+"/cart/80"), HaveKey("endpoints/service/"+namespace+"/cart/80")))
}

// What has no meaning for the proxies is neither pushed nor written.
func TestUnchangedWorldCostsNothing(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway, route := httpGateway(namespace, "web"), routeTo(namespace, "shop", "web", "cart")
	service, slice := backendService(namespace, "cart")
	w.create(t, service, slice, gateway, route)
	replica := w.run(t, gateway)
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionProgrammed)).WithTimeout(patient).Should(isTrue())
	g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("route/httproute/" + namespace + "/shop"))
	g.Eventually(func() bool { return w.settled(t) }).WithTimeout(patient).Should(BeTrue(), "all statuses are written")

	upserts := replica.Seen().Upserts
	for _, object := range []client.Object{gateway, route, service, slice} {
		g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(object), object)).To(Succeed())
		object.SetAnnotations(map[string]string{"example.com/touched": "yes"})
		g.Expect(w.Update(t.Context(), object)).To(Succeed())
	}
	versions := w.versions(t, namespace)
	g.Consistently(func() []any {
		return []any{replica.Seen().Upserts, w.versions(t, namespace)}
	}).WithTimeout(3 * time.Second).Should(Equal([]any{upserts, versions}))

	// Nor does an operator that starts anew in that world: it learns from the replica where it stands.
	w.operator.stop(t)
	w.operator = startOperator(t, w)
	g.Eventually(func() int { return replica.Seen().Sessions }).WithTimeout(patient).Should(BeNumerically(">=", 2))
	g.Consistently(func() []any {
		return []any{replica.Seen().Upserts, w.versions(t, namespace)}
	}).WithTimeout(3 * time.Second).Should(Equal([]any{upserts, versions}))
}

// settled tells whether no status was written for longer than one may be left untold: the other tests' Gateways are quiet too.
func (w *world) settled(t *testing.T) bool {
	before := w.operator.statusWrites(t)
	time.Sleep(agePatience + time.Second)
	return w.operator.statusWrites(t) == before
}

// versions are the resource versions of what was made in a namespace, and of the objects that carry our statuses.
func (w *world) versions(t *testing.T, namespace string) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for _, kind := range append(provisionedKinds(), &corev1.ConfigMap{}, &corev1.Secret{}, &corev1.Service{}, &gatewayv1.Gateway{}, &gatewayv1.HTTPRoute{}) {
		gvk, err := w.GroupVersionKindFor(kind)
		if err != nil {
			t.Fatal(err)
		}
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(gvk)
		if err := w.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			if gvk.Group != gatewayv1.GroupName && !ownLabels.Matches(labels.Set(item.Labels)) {
				continue
			}
			versions[gvk.Kind+"/"+item.GetName()] = item.GetResourceVersion()
		}
	}
	return versions
}

// A change of endpoints is the most frequent of all: it must reach the proxy alone.
func TestEndpointsTakeTheShortWay(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway := httpGateway(namespace, "web")
	service, slice := backendService(namespace, "cart")
	w.create(t, service, slice, gateway, routeTo(namespace, "shop", "web", "cart"))
	replica := w.run(t, gateway)
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionProgrammed)).WithTimeout(patient).Should(isTrue())

	w.takesTheShortWay(t, replica, slice, "endpoints/service/"+namespace+"/cart/80")
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionProgrammed)).WithTimeout(patient).Should(isTrue())
}

// takesTheShortWay changes a slice's endpoints once its resources are there, and holds when these alone are sent. That may be more than
// once, where the operator had not read the slice yet when they were sent first.
func (w *world) takesTheShortWay(t *testing.T, replica *fixture.Replica, slice *discoveryv1.EndpointSlice, resources ...string) {
	t.Helper()
	g := NewWithT(t)
	for _, resource := range resources {
		g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey(resource))
	}
	before := len(replica.Seen().Names)
	slice.Endpoints[0].Addresses = []string{"198.51.100.201"}
	g.Expect(w.Update(t.Context(), slice)).To(Succeed())
	g.Eventually(func() []string {
		sent := replica.Seen().Names[before:]
		slices.Sort(sent)
		return slices.Compact(sent)
	}).WithTimeout(patient).Should(ConsistOf(resources), "endpoints take the short way")
}

func TestBadInputIsNamedInACondition(t *testing.T) {
	w := sharedWorld(t)
	parameters := func(name string) *gatewayv1.GatewayInfrastructure {
		return &gatewayv1.GatewayInfrastructure{ParametersRef: &gatewayv1.LocalParametersReference{
			Group: gatewayv1.Group(v1alpha1.GroupVersion.Group), Kind: v1alpha1.KindGatewayParameters, Name: name,
		}}
	}
	cases := map[string]struct {
		reason    string
		mutate    func(*gatewayv1.Gateway)
		before    func(namespace string) []client.Object
		condition gatewayv1.GatewayConditionType
		want      string
		message   string
	}{
		"ParametersMissing": {
			reason:    "a typo in the reference must not end in a proxy with other settings than meant",
			mutate:    func(gw *gatewayv1.Gateway) { gw.Spec.Infrastructure = parameters("absent") },
			condition: gatewayv1.GatewayConditionAccepted, want: "InvalidParameters", message: "spec.infrastructure.parametersRef",
		},
		"ParametersOfAnotherKind": {
			reason: "another controller's kind is not ours to read",
			mutate: func(gw *gatewayv1.Gateway) {
				gw.Spec.Infrastructure = parameters("x")
				gw.Spec.Infrastructure.ParametersRef.Kind = "ConfigMap"
			},
			condition: gatewayv1.GatewayConditionAccepted, want: "InvalidParameters", message: "ConfigMap",
		},
		"PatchThatCannotBeApplied": {
			reason: "admission cannot see it, so the status has to",
			mutate: func(gw *gatewayv1.Gateway) { gw.Spec.Infrastructure = parameters("bad") },
			before: func(namespace string) []client.Object {
				return []client.Object{&v1alpha1.GatewayParameters{
					ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "bad"},
					Spec: v1alpha1.GatewayParametersSpec{Patches: []v1alpha1.Patch{{
						Target: v1alpha1.PatchTarget{Kind: "Deployment"},
						Patch:  `[{"op": "remove", "path": "/spec/nothing/here"}]`,
					}}},
				}}
			},
			condition: gatewayv1.GatewayConditionAccepted, want: "InvalidParameters", message: "/bad: spec.patches[0]",
		},
		"RejectedByTheAPIServer": {
			reason: "what only the API server can judge is quoted",
			mutate: func(gw *gatewayv1.Gateway) { gw.Spec.Infrastructure = parameters("worse") },
			before: func(namespace string) []client.Object {
				return []client.Object{&v1alpha1.GatewayParameters{
					ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "worse"},
					Spec: v1alpha1.GatewayParametersSpec{Patches: []v1alpha1.Patch{{
						Target: v1alpha1.PatchTarget{Kind: "Deployment"},
						Patch:  `[{"op": "replace", "path": "/spec/template/spec/restartPolicy", "value": "Sometimes"}]`,
					}}},
				}}
			},
			condition: gatewayv1.GatewayConditionProgrammed, want: reasonRejected, message: "restartPolicy",
		},
		"Collision": {
			reason: "an object of somebody else is never adopted",
			before: func(namespace string) []client.Object {
				return []client.Object{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: manifest.Name("web", className)}}}
			},
			condition: gatewayv1.GatewayConditionProgrammed, want: reasonCollision, message: "ConfigMap",
		},
		"UnsupportedProtocol": {
			reason:    "a listener that cannot be served must not look as if it were",
			mutate:    func(gw *gatewayv1.Gateway) { gw.Spec.Listeners[0].Protocol = "example.com/Telnet" },
			condition: gatewayv1.GatewayConditionAccepted, want: "ListenersNotValid", message: "http",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			namespace := w.tenant(t)
			if tc.before != nil {
				w.create(t, tc.before(namespace)...)
			}
			gateway := httpGateway(namespace, "web")
			if tc.mutate != nil {
				tc.mutate(gateway)
			}
			w.create(t, gateway)
			g.Eventually(w.gatewayCondition(t, gateway, tc.condition)).WithTimeout(patient).Should(And(
				HaveField("Status", metav1.ConditionFalse), HaveField("Reason", tc.want),
				HaveField("Message", ContainSubstring(tc.message))), tc.reason)
		})
	}
}

func TestLongestNameIsServed(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway := httpGateway(namespace, strings.Repeat("long.", 50)+"abc")
	w.create(t, gateway)
	w.run(t, gateway)
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionProgrammed)).WithTimeout(patient).Should(isTrue())
}

func TestRouteStatusFollowsItsParents(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	first, second := httpGateway(namespace, "first"), httpGateway(namespace, "second")
	route := routeTo(namespace, "shop", "first", "cart")
	route.Spec.ParentRefs = append(route.Spec.ParentRefs, gatewayv1.ParentReference{Name: "second"})
	w.create(t, first, second, route)
	parents := func() ([]string, error) {
		var names []string
		err := w.Get(t.Context(), client.ObjectKeyFromObject(route), route)
		for _, parent := range route.Status.Parents {
			names = append(names, string(parent.ControllerName)+"/"+string(parent.ParentRef.Name))
		}
		return names, err
	}
	const foreign = "example.com/other"
	g.Eventually(parents).WithTimeout(patient).Should(ConsistOf(DefaultControllerName+"/first", DefaultControllerName+"/second"))
	g.Eventually(func() error {
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(route), route); err != nil {
			return err
		}
		route.Status.Parents = append(route.Status.Parents, gatewayv1.RouteParentStatus{
			ControllerName: foreign, ParentRef: gatewayv1.ParentReference{Name: "gone"},
			Conditions: []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted", LastTransitionTime: metav1.Now()}},
		})
		return w.Status().Update(t.Context(), route)
	}).WithTimeout(patient).Should(Succeed())

	g.Eventually(func() error {
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(route), route); err != nil {
			return err
		}
		route.Spec.ParentRefs = route.Spec.ParentRefs[:1]
		return w.Update(t.Context(), route)
	}).WithTimeout(patient).Should(Succeed())
	g.Eventually(parents).WithTimeout(patient).Should(ConsistOf(DefaultControllerName+"/first", foreign+"/gone"))

	g.Expect(w.Delete(t.Context(), first)).To(Succeed())
	g.Eventually(parents).WithTimeout(patient).Should(ConsistOf(foreign + "/gone"))
}

// A Gateway handed to another controller leaves nothing of ours behind, and nothing of that one's is touched, which may be an
// installation of this operator under another name; one whose class is gone keeps its proxy.
func TestGatewayThatIsNoLongerOurs(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	passing, other := gatewayClass("passing-"+namespace, DefaultControllerName), gatewayClass("other-"+namespace, "example.com/other")
	w.create(t, passing, other)
	gateway := httpGateway(namespace, "web")
	gateway.Spec.GatewayClassName = gatewayv1.ObjectName(passing.Name)
	w.create(t, gateway)
	deployment := &appsv1.Deployment{}
	key := types.NamespacedName{Namespace: namespace, Name: manifest.Name("web", passing.Name)}
	g.Eventually(func() error { return w.Get(t.Context(), key, deployment) }).WithTimeout(patient).Should(Succeed())

	g.Expect(w.Delete(t.Context(), passing)).To(Succeed())
	g.Consistently(func() error { return w.Get(t.Context(), key, deployment) }).WithTimeout(2 * time.Second).Should(Succeed())

	g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(gateway), gateway)).To(Succeed())
	theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: manifest.Name("web", other.Name), Labels: manifest.Labels("web", other.Name),
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(gateway, schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: "v1", Kind: "Gateway"})},
	}}
	w.create(t, theirs)
	gateway.Spec.GatewayClassName = gatewayv1.ObjectName(other.Name)
	g.Expect(w.Update(t.Context(), gateway)).To(Succeed())
	g.Eventually(func() bool { return apierrors.IsNotFound(w.Get(t.Context(), key, deployment)) }).WithTimeout(patient).Should(BeTrue())
	g.Eventually(func() map[string]string { return w.versions(t, namespace) }).WithTimeout(patient).
		Should(And(HaveLen(2), HaveKey("Gateway/web"), HaveKey("ConfigMap/"+theirs.Name)), "nothing of ours is left, and all of theirs")
	g.Consistently(func() error { return w.Get(t.Context(), client.ObjectKeyFromObject(theirs), theirs) }).WithTimeout(2 * time.Second).Should(Succeed())
}

func TestClassParametersAreTried(t *testing.T) {
	w := sharedWorld(t)
	cases := map[string]struct {
		reason  string
		patch   string
		missing bool
		message string
	}{
		"Missing":  {reason: "the class says so before a Gateway uses it", missing: true, message: "does not exist"},
		"BadPatch": {reason: "what no Gateway could be rendered with is the class's fault", patch: `[{"op": "remove", "path": "/spec/nothing"}]`, message: "spec.patches[0]"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			namespace := w.tenant(t)
			if !tc.missing {
				w.create(t, &v1alpha1.GatewayParameters{
					ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "defaults"},
					Spec: v1alpha1.GatewayParametersSpec{Patches: []v1alpha1.Patch{{
						Target: v1alpha1.PatchTarget{Kind: "Deployment"}, Patch: tc.patch,
					}}},
				})
			}
			class := gatewayClass("class-"+namespace, DefaultControllerName)
			class.Spec.ParametersRef = &gatewayv1.ParametersReference{
				Group: gatewayv1.Group(v1alpha1.GroupVersion.Group), Kind: v1alpha1.KindGatewayParameters,
				Namespace: new(gatewayv1.Namespace(namespace)), Name: "defaults",
			}
			w.create(t, class)
			g.Eventually(func() (*metav1.Condition, error) {
				err := w.Get(t.Context(), client.ObjectKeyFromObject(class), class)
				return apimeta.FindStatusCondition(class.Status.Conditions, string(gatewayv1.GatewayClassConditionStatusAccepted)), err
			}).WithTimeout(patient).Should(And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "InvalidParameters"),
				HaveField("Message", And(ContainSubstring(namespace+"/defaults"), ContainSubstring(tc.message)))), tc.reason)
		})
	}
}

// Whatever becomes wrong with the parameters, the proxy that runs keeps getting its routes, also from a new operator.
func TestRoutesArriveDespiteInvalidParameters(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway := httpGateway(namespace, "web")
	service, slice := backendService(namespace, "cart")
	w.create(t, service, slice, gateway)
	replica := w.run(t, gateway)
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionProgrammed)).WithTimeout(patient).Should(isTrue())

	g.Eventually(func() error {
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(gateway), gateway); err != nil {
			return err
		}
		gateway.Spec.Infrastructure = &gatewayv1.GatewayInfrastructure{ParametersRef: &gatewayv1.LocalParametersReference{
			Group: gatewayv1.Group(v1alpha1.GroupVersion.Group), Kind: v1alpha1.KindGatewayParameters, Name: "absent",
		}}
		return w.Update(t.Context(), gateway)
	}).WithTimeout(patient).Should(Succeed())
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionAccepted)).WithTimeout(patient).
		Should(HaveField("Reason", "InvalidParameters"))
	w.operator.stop(t)
	w.operator = startOperator(t, w)

	w.create(t, routeTo(namespace, "late", "web", "cart"))
	g.Eventually(func() map[string]string { _, table := replica.Table(); return table }).WithTimeout(patient).
		Should(HaveKey("route/httproute/" + namespace + "/late"))
}
