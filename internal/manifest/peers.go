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

package manifest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// labelFor is on the Service of the replicas, and forPeers its value there.
const (
	labelFor = "gateway.rauta.dev/for"
	forPeers = "peers"
)

// peersService is the Service whose name in DNS stands for the addresses of all replicas, ready or not: one that is not
// ready yet asks the others for their table, and they give it to nobody who is not at such an address.
func peersService(in Input, s settings) (*unstructured.Unstructured, error) {
	labels := objectLabels(in)
	labels[labelFor] = forPeers
	service := &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: apiVersions[kindService], Kind: kindService},
		ObjectMeta: metav1.ObjectMeta{
			Name:        peersName(in.Gateway.Name, in.ClassName),
			Labels:      labels,
			Annotations: objectAnnotations(in),
		},
		Spec: corev1.ServiceSpec{
			ClusterIP:                corev1.ClusterIPNone,
			PublishNotReadyAddresses: true,
			Selector:                 SelectorLabels(in.Gateway.Name, in.ClassName),
			Ports: []corev1.ServicePort{{
				Name: peersPortName, Port: s.peersPort, TargetPort: intstr.FromInt32(s.peersPort), Protocol: corev1.ProtocolTCP,
			}},
		},
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(service)
	if err != nil {
		return nil, fmt.Errorf("converting Service %s: %w", service.Name, err)
	}
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	delete(content, "status")
	return &unstructured.Unstructured{Object: content}, nil
}

// IsForPeers reports whether a Service of a Gateway is that of its replicas, and none that clients reach.
func IsForPeers(service *corev1.Service) bool { return service.Labels[labelFor] == forPeers }
