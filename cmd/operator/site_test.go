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

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/controller"
	"github.com/rauta-dev/rauta/internal/leader"
	"github.com/rauta-dev/rauta/internal/pki/store"
	"github.com/rauta-dev/rauta/test/fixture"
)

const (
	patient   = time.Minute
	className = "rauta"
)

// shared is the API server of all tests.
var shared struct {
	once        sync.Once
	environment *envtest.Environment
	config      *rest.Config
	err         error
}

// site is a Gateway with one replica on an API server, and a namespace for operators.
type site struct {
	client.Client
	t      *testing.T
	config *rest.Config
	// namespace is the operators', and the Gateway's as well.
	namespace string
	gateway   *gatewayv1.Gateway
	replica   *fixture.Replica
	// dials leads from the replica's address as a pod to where it listens.
	dials map[string]string
}

func newSite(t *testing.T) *site {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run these tests through `make test`")
	}
	shared.once.Do(func() {
		shared.environment = &envtest.Environment{ErrorIfCRDPathMissing: true, CRDDirectoryPaths: []string{
			filepath.Join("..", "..", "config", "crd", "bases"),
			filepath.Join(fixture.ModuleDirectory(t, "sigs.k8s.io/gateway-api"), "config", "crd", "standard"),
		}, ControlPlaneStartTimeout: patient, ControlPlaneStopTimeout: patient, CRDInstallOptions: envtest.CRDInstallOptions{MaxTime: patient}}
		shared.config, shared.err = shared.environment.Start()
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	c, err := client.New(shared.config, client.Options{Scheme: controller.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Client: c, t: t, config: shared.config, dials: map[string]string{}}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "site-"}}
	s.create(namespace)
	s.namespace = namespace.Name
	class := &gatewayv1.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: className}, Spec: gatewayv1.GatewayClassSpec{ControllerName: controller.DefaultControllerName},
	}
	s.gateway = &gatewayv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web"},
		Spec: gatewayv1.GatewaySpec{
			GatewayClassName: className,
			Listeners:        []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}},
			Infrastructure: &gatewayv1.GatewayInfrastructure{ParametersRef: &gatewayv1.LocalParametersReference{
				Group: gatewayv1.Group(v1alpha1.GroupVersion.Group), Kind: v1alpha1.KindGatewayParameters, Name: "web",
			}},
		},
	}
	s.create(class, s.parameters(2), s.gateway, s.route("shop"))
	t.Cleanup(func() {
		for _, object := range []client.Object{s.gateway, class} {
			// The test's own context has ended.
			if err := s.Delete(context.Background(), object); client.IgnoreNotFound(err) != nil {
				t.Error(err)
			}
		}
	})
	authority, err := (&store.Store{Client: c, Namespace: s.namespace}).Ensure(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.replica = fixture.NewReplica(t, authority, s.namespace, s.gateway.Name)
	s.announce()
	return s
}

// announce stands in for the controllers of Kubernetes: the proxy's Service has one ready pod.
func (s *site) announce() {
	const address = "198.51.100.1"
	name := s.gateway.Name + "-" + className
	s.dials[net.JoinHostPort(address, "19443")] = s.replica.Address()
	s.create(&discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.namespace, Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: name},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: s.namespace, Name: name, UID: "pod"},
		}},
	})
}

func (s *site) parameters(replicas int32) *v1alpha1.GatewayParameters {
	return &v1alpha1.GatewayParameters{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web"}, Spec: v1alpha1.GatewayParametersSpec{Replicas: new(replicas)},
	}
}

func (s *site) route(name string) *gatewayv1.HTTPRoute {
	return &gatewayv1.HTTPRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name},
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: "web"}}},
			Hostnames:       []gatewayv1.Hostname{gatewayv1.Hostname(name + ".example")},
		},
	}
}

func (s *site) create(objects ...client.Object) {
	s.t.Helper()
	for _, object := range objects {
		if err := s.Create(s.t.Context(), object); err != nil {
			s.t.Fatalf("create %T %s: %v", object, object.GetName(), err)
		}
	}
}

// eventually waits for what the operators bring about.
func (s *site) eventually(what string, condition func() bool) {
	s.t.Helper()
	if !fixture.Poll(patient, condition) {
		s.t.Fatalf("not within %s: %s", patient, what)
	}
}

// serves holds when the replica has a route, and the route's status and the Gateway's say so.
func (s *site) serves(name string) {
	s.t.Helper()
	s.eventually("route "+name+" is served, and said to be", func() bool {
		route, gateway := s.route(name), &gatewayv1.Gateway{}
		if !s.addressed() ||
			s.Get(s.t.Context(), client.ObjectKeyFromObject(route), route) != nil ||
			s.Get(s.t.Context(), client.ObjectKeyFromObject(s.gateway), gateway) != nil {
			return false
		}
		generation, table := s.replica.Table()
		_, has := table["route/httproute/"+s.namespace+"/"+name]
		programmed := apimeta.FindStatusCondition(gateway.Status.Conditions, string(gatewayv1.GatewayConditionProgrammed))
		return has && len(route.Status.Parents) == 1 &&
			apimeta.IsStatusConditionTrue(route.Status.Parents[0].Conditions, string(gatewayv1.RouteConditionAccepted)) &&
			programmed != nil && programmed.Status == metav1.ConditionTrue &&
			programmed.Message == fmt.Sprintf("1 of 1 ready replicas serve generation %d", generation)
	})
}

// addressed stands in for the load balancer: it holds when the proxy's Service is there, and gives it an address.
func (s *site) addressed() bool {
	service := &corev1.Service{}
	if s.Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: s.gateway.Name + "-" + className}, service) != nil {
		return false
	}
	if len(service.Status.LoadBalancer.Ingress) > 0 {
		return true
	}
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.10"}}
	return s.Status().Update(s.t.Context(), service) == nil
}

// lease is who leads, and how often that has changed.
func (s *site) lease() (holder string, transitions int32) {
	s.t.Helper()
	lease := &coordinationv1.Lease{}
	err := s.Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: leader.LeaseName}, lease)
	if err != nil {
		if client.IgnoreNotFound(err) != nil {
			s.t.Fatal(err)
		}
		return "", 0
	}
	if lease.Spec.HolderIdentity != nil {
		holder = *lease.Spec.HolderIdentity
	}
	if lease.Spec.LeaseTransitions != nil {
		transitions = *lease.Spec.LeaseTransitions
	}
	return holder, transitions
}

// passes waits until another operator leads than one did.
func (s *site) passes(from string) (to string) {
	s.t.Helper()
	s.eventually("another operator leads", func() bool {
		to, _ = s.lease()
		return to != "" && to != from
	})
	return to
}

// versions of all objects that operators write, and of those that they read.
func (s *site) versions() map[string]string {
	s.t.Helper()
	versions := map[string]string{}
	for _, list := range []client.ObjectList{
		&gatewayv1.GatewayList{}, &gatewayv1.HTTPRouteList{}, &gatewayv1.GatewayClassList{}, &corev1.ServiceList{}, &corev1.SecretList{},
		&corev1.ConfigMapList{}, &corev1.ServiceAccountList{}, &appsv1.DeploymentList{}, &policyv1.PodDisruptionBudgetList{},
		&networkingv1.NetworkPolicyList{}, &autoscalingv2.HorizontalPodAutoscalerList{},
	} {
		if err := s.List(s.t.Context(), list, client.InNamespace(s.namespace)); err != nil {
			s.t.Fatal(err)
		}
		err := apimeta.EachListItem(list, func(item runtime.Object) error {
			object := item.(client.Object)
			versions[fmt.Sprintf("%T %s", object, object.GetName())] = object.GetResourceVersion()
			return nil
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return versions
}

// settles waits until nothing is written any more for as long as the operators may put off the least urgent, and gives the versions.
func (s *site) settles() map[string]string {
	s.t.Helper()
	versions := s.versions()
	s.eventually("nothing is written any more", func() bool {
		time.Sleep(3 * time.Second)
		before := versions
		versions = s.versions()
		return fmt.Sprint(before) == fmt.Sprint(versions)
	})
	return versions
}
