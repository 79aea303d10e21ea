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
	// parameters is the name of each tenant's GatewayParameters, certificate that of the Secret of its listeners.
	parameters  = "proxies"
	certificate = "listeners"
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
func (t *tenant) objects(certificatePEM, keyPEM []byte) []client.Object {
	return []client.Object{
		&corev1.Secret{
			ObjectMeta: t.meta(certificate), Type: corev1.SecretTypeTLS,
			Data: map[string][]byte{corev1.TLSCertKey: certificatePEM, corev1.TLSPrivateKeyKey: keyPEM},
		},
		// Two replicas each, which do not wait long for what is held open.
		&v1alpha1.GatewayParameters{
			ObjectMeta: t.meta(parameters),
			Spec:       v1alpha1.GatewayParametersSpec{Drain: &v1alpha1.Drain{Timeout: ptr.To[v1alpha1.Duration]("5s")}},
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
	return corev1.PodSpec{
		AutomountServiceAccountToken: ptr.To(false),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](65532),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name: "backend", Image: t.image, ImagePullPolicy: corev1.PullIfNotPresent,
			Env: []corev1.EnvVar{{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{
				FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"},
			}}},
			ReadinessProbe: &corev1.Probe{
				ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}, PeriodSeconds: 1,
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
	return &corev1.Service{
		ObjectMeta: t.meta(name),
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"backend": name},
			Ports:    []corev1.ServicePort{port("http", 80, 8080), calls, port("tcp", 9000, 9000)},
		},
	}
}
