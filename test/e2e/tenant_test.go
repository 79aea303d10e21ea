//go:build e2e

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

package e2e

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/manifest"
)

// tenant is a namespace of its own, under the restricted Pod Security Standard, and what is put into it.
type tenant struct {
	namespace string
}

// newTenant creates the namespace, and removes it when the spec or container that asked for it ends.
func newTenant(ctx context.Context, name string) *tenant {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "e2e-" + name + "-",
		Labels:       map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, namespace))).To(Succeed())
	})
	return &tenant{namespace: namespace.Name}
}

func (t *tenant) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: t.namespace, Name: name}
}

func (t *tenant) create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		Expect(k8s.Create(ctx, object)).To(Succeed())
	}
}

// echo creates a Deployment of echo servers and its Service, port 80. A server that ends keeps serving for five
// seconds, as a backend has to for which endpoints are withdrawn with some delay.
func (t *tenant) echo(ctx context.Context, name string, replicas int32, env ...corev1.EnvVar) {
	GinkgoHelper()
	labels := map[string]string{"app": "echo", "backend": name}
	fromField := func(name, path string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
	}
	deployment := &appsv1.Deployment{
		ObjectMeta: t.meta(name),
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(replicas),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxUnavailable: ptr.To(intstr.FromInt32(0)), MaxSurge: ptr.To(intstr.FromInt32(1)),
			}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					AutomountServiceAccountToken: ptr.To(false),
					SecurityContext: &corev1.PodSecurityContext{
						RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](65532),
						SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
					},
					Containers: []corev1.Container{{
						Name: "echo", Image: echoImage, ImagePullPolicy: corev1.PullIfNotPresent,
						Env: append([]corev1.EnvVar{
							fromField("POD_NAME", "metadata.name"), fromField("NAMESPACE", "metadata.namespace"),
							{Name: "SERVICE_NAME", Value: name},
						}, env...),
						ReadinessProbe: &corev1.Probe{
							ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(3000)}},
							PeriodSeconds: 1,
						},
						Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}},
						SecurityContext: &corev1.SecurityContext{
							AllowPrivilegeEscalation: ptr.To(false),
							Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
						},
					}},
				},
			},
		},
	}
	service := &corev1.Service{
		ObjectMeta: t.meta(name),
		Spec: corev1.ServiceSpec{
			Selector: labels,
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(3000)}},
		},
	}
	t.create(ctx, deployment, service)
}

// gateway returns a Gateway with one HTTP listener on port 80, not created yet.
func (t *tenant) gateway(name string) *gatewayv1.Gateway {
	return &gatewayv1.Gateway{
		ObjectMeta: t.meta(name),
		Spec: gatewayv1.GatewaySpec{
			GatewayClassName: className,
			Listeners:        []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}},
		},
	}
}

// parametrised makes the Gateway use the GatewayParameters of that name in its own namespace.
func parametrised(gateway *gatewayv1.Gateway, name string) *gatewayv1.Gateway {
	gateway.Spec.Infrastructure = &gatewayv1.GatewayInfrastructure{ParametersRef: &gatewayv1.LocalParametersReference{
		Group: gatewayv1.Group(v1alpha1.GroupVersion.Group), Kind: v1alpha1.KindGatewayParameters, Name: name,
	}}
	return gateway
}

// weighted is one backend of a rule.
type weighted struct {
	name   string
	weight int32
}

// route returns an HTTPRoute of the Gateway that sends all requests for the host to the backends, not created yet.
func (t *tenant) route(name, gateway, host string, backends ...weighted) *gatewayv1.HTTPRoute {
	route := &gatewayv1.HTTPRoute{
		ObjectMeta: t.meta(name),
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: gatewayv1.ObjectName(gateway)}}},
			Hostnames:       []gatewayv1.Hostname{gatewayv1.Hostname(host)},
		},
	}
	setBackends(route, backends...)
	return route
}

func setBackends(route *gatewayv1.HTTPRoute, backends ...weighted) {
	var refs []gatewayv1.HTTPBackendRef
	for _, backend := range backends {
		refs = append(refs, gatewayv1.HTTPBackendRef{BackendRef: gatewayv1.BackendRef{
			BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(backend.name), Port: ptr.To[gatewayv1.PortNumber](80)},
			Weight:                 ptr.To(backend.weight),
		}})
	}
	route.Spec.Rules = []gatewayv1.HTTPRouteRule{{BackendRefs: refs}}
}

// programmed waits until the Gateway is programmed with its latest generation, and returns its address with port 80.
func (t *tenant) programmed(ctx context.Context, name string) string {
	GinkgoHelper()
	gateway := &gatewayv1.Gateway{}
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: name}, gateway)).To(Succeed())
		g.Expect(conditionsOf(gateway)).To(And(
			HaveKeyWithValue("Accepted", HavePrefix("True/")), HaveKeyWithValue("Programmed", "True/Programmed")))
		g.Expect(gateway.Status.Addresses).NotTo(BeEmpty())
	}).Should(Succeed())
	return net.JoinHostPort(gateway.Status.Addresses[0].Value, "80")
}

// conditionsOf returns the conditions of the object's latest generation, as type -> "Status/Reason". A condition of an
// older generation says nothing about the object as it is, and is left out.
func conditionsOf(object client.Object) map[string]string {
	var list []metav1.Condition
	switch o := object.(type) {
	case *gatewayv1.Gateway:
		list = o.Status.Conditions
	case *gatewayv1.GatewayClass:
		list = o.Status.Conditions
	case *gatewayv1.HTTPRoute:
		if len(o.Status.Parents) > 0 {
			list = o.Status.Parents[0].Conditions
		}
	default:
		Fail(fmt.Sprintf("conditions of a %T", object))
	}
	conditions := map[string]string{}
	for _, condition := range list {
		if condition.ObservedGeneration == object.GetGeneration() {
			conditions[condition.Type] = fmt.Sprintf("%s/%s", condition.Status, condition.Reason)
		}
	}
	return conditions
}

// message returns the message of the Gateway's condition, empty where it has none.
func message(gateway *gatewayv1.Gateway, conditionType string) string {
	for _, condition := range gateway.Status.Conditions {
		if condition.Type == conditionType {
			return condition.Message
		}
	}
	return ""
}

// replicas returns the pods of the Gateway's proxy that are not being deleted.
func (t *tenant) replicas(ctx context.Context, g Gomega, gateway string) []corev1.Pod {
	list := &corev1.PodList{}
	g.Expect(k8s.List(ctx, list, client.InNamespace(t.namespace),
		client.MatchingLabels{"app.kubernetes.io/instance": manifest.Name(gateway, className)})).To(Succeed())
	var live []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			live = append(live, pod)
		}
	}
	return live
}

// listener returns the address of the HTTP listener in a replica of a proxy.
func listener(pod *corev1.Pod) string { return net.JoinHostPort(pod.Status.PodIP, "80") }

// namedPort returns the address of a pod's container port.
func namedPort(pod *corev1.Pod, name string) string {
	GinkgoHelper()
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name {
				return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(port.ContainerPort)))
			}
		}
	}
	Fail(fmt.Sprintf("pod %s has no port named %s", pod.Name, name))
	return ""
}

// restartContainer makes the kubelet end the pod's first container and start it again in the same pod: the image is the
// one field of a running container that may be changed, and one that does not exist ends it.
func restartContainer(ctx context.Context, pod *corev1.Pod) {
	GinkgoHelper()
	setImage := func(image string) {
		GinkgoHelper()
		patch := client.MergeFrom(pod.DeepCopy())
		pod.Spec.Containers[0].Image = image
		Expect(k8s.Patch(ctx, pod, patch)).To(Succeed())
	}
	container := func(g Gomega) corev1.ContainerStatus {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		g.Expect(pod.Status.ContainerStatuses).NotTo(BeEmpty())
		return pod.Status.ContainerStatuses[0]
	}
	image, before := pod.Spec.Containers[0].Image, pod.Status.ContainerStatuses[0].ContainerID
	setImage("rauta.invalid/no-such-image:e2e")
	Eventually(func(g Gomega) { g.Expect(container(g).State.Running).To(BeNil()) }).Should(Succeed())
	setImage(image)
	Eventually(func(g Gomega) {
		status := container(g)
		g.Expect(status.State.Running).NotTo(BeNil())
		g.Expect(status.ContainerID).NotTo(Equal(before), "the container is another one")
	}).Should(Succeed())
}

// backendOf returns the echo backend that a pod belongs to.
func backendOf(pod string) string {
	parts := strings.Split(pod, "-")
	return strings.Join(parts[:max(0, len(parts)-2)], "-")
}
