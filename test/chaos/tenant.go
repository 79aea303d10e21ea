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
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

const (
	// steady is the backend that nothing happens to: what is held open goes there. Requests go to elastic, which is rolled out and scaled.
	steady  = "steady"
	elastic = "elastic"
	// parameters is the name of each tenant's GatewayParameters, certificate that of the Secret of its listeners, and sealed that of
	// its backends, which nobody else has.
	parameters  = "proxies"
	certificate = "listeners"
	sealed      = "backends"
)

// tenant is a namespace under the restricted Pod Security Standard, with backends and what its Gateways share.
type tenant struct {
	namespace string
	image     string // of the backends
}

func (t *tenant) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: t.namespace, Name: name}
}

func (t *tenant) object() *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: t.namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
}

// objects are all of the tenant but its Gateways and their routes.
func (t *tenant) objects() []client.Object {
	return []client.Object{
		// Two replicas each, which do not wait long for what is held open, but for as long as the kernel may go on to send datagrams to
		// one that is not ready any more.
		&v1alpha1.GatewayParameters{
			ObjectMeta: t.meta(parameters),
			Spec:       v1alpha1.GatewayParametersSpec{Drain: &v1alpha1.Drain{Timeout: ptr.To[v1alpha1.Duration]("12s")}},
		},
		t.deployment(steady, 1), t.service(steady),
		t.deployment(elastic, 3), t.service(elastic),
	}
}

func (t *tenant) deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"backend": name}
	return &appsv1.Deployment{
		ObjectMeta: t.meta(name),
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(replicas),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxUnavailable: ptr.To(intstr.FromInt32(0)), MaxSurge: ptr.To(intstr.FromInt32(1)),
			}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: t.pod()},
		},
	}
}

func (t *tenant) pod() corev1.PodSpec {
	secret := func(variable, key string) corev1.EnvVar {
		return corev1.EnvVar{Name: variable, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: sealed}, Key: key,
		}}}
	}
	return corev1.PodSpec{
		AutomountServiceAccountToken: ptr.To(false),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](65532),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name: "backend", Image: t.image, ImagePullPolicy: corev1.PullIfNotPresent,
			Env: []corev1.EnvVar{
				{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
				secret("TLS_CERTIFICATE", corev1.TLSCertKey), secret("TLS_KEY", corev1.TLSPrivateKeyKey),
			},
			ReadinessProbe: &corev1.Probe{
				ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromInt32(8080)}},
				PeriodSeconds: 1, TimeoutSeconds: 5, FailureThreshold: 1,
			},
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: ptr.To(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		}},
	}
}

func (t *tenant) service(name string) *corev1.Service {
	port := func(name string, number, target int32) corev1.ServicePort {
		return corev1.ServicePort{Name: name, Port: number, TargetPort: intstr.FromInt32(target)}
	}
	calls := port("grpc", 9090, 9090)
	calls.AppProtocol = ptr.To("kubernetes.io/h2c")
	datagrams := port("udp", 9001, 9001)
	datagrams.Protocol = corev1.ProtocolUDP
	return &corev1.Service{
		ObjectMeta: t.meta(name),
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"backend": name},
			Ports:    []corev1.ServicePort{port("http", 80, 8080), calls, port("tcp", 9000, 9000), datagrams, port("tls", 443, 8443)},
		},
	}
}
