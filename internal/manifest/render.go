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
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// Input is all that the objects of one Gateway depend on.
type Input struct {
	// Gateway owns the objects. Its name, namespace, UID, spec.infrastructure and spec.addresses are read.
	Gateway *gatewayv1.Gateway
	// ClassName is the name of the Gateway's GatewayClass.
	ClassName string
	// Parameters are the class's parameters with the Gateway's over them, as Merge gives them.
	Parameters v1alpha1.GatewayParametersSpec
	// ClassPatches is how many of Parameters.Patches, from the first, came from the class. It only serves to name
	// a bad patch by the object that it stands in and its index there.
	ClassPatches int
	// Image is the proxy image where the parameters name none.
	Image string
	// Ports are the distinct ports of the listeners that were accepted.
	Ports []ListenerPort
	// OperatorNamespace and OperatorPodLabels select the operator's pods, which alone may reach the admin port.
	OperatorNamespace string
	OperatorPodLabels map[string]string
}

// ListenerPort is a port that at least one listener wants.
type ListenerPort struct {
	// Name is that of a listener on the port; it names the Service's port where it can.
	Name string
	// Port is the number, in the container as in the Service.
	Port int32
	// Protocol is the transport; empty means TCP.
	Protocol corev1.Protocol
	// AppProtocol is the Service port's appProtocol (http, https, kubernetes.io/h2c); empty leaves it out.
	AppProtocol string
}

// Output is what Render made.
type Output struct {
	// Objects are complete and sorted by kind, then name.
	Objects []*unstructured.Unstructured
	// Name is the name of each of them but the Service of the replicas.
	Name string
	// AdminPort and HealthPort are the container's ports that others than its own replicas use, beside the listeners'.
	AdminPort, HealthPort int32
}

// ParametersError says which field of a GatewayParameters the user has to mend.
type ParametersError struct {
	// Field is the path in the GatewayParameters, such as spec.patches[1].
	Field string
	// FromClass is true where the field is known to stand in the class's parameters and not in the Gateway's.
	FromClass bool
	// Message says what is wrong with it.
	Message string
}

// Error names the field and what is wrong with it.
func (e *ParametersError) Error() string {
	if e.FromClass {
		return fmt.Sprintf("%s of the GatewayClass's parameters: %s", e.Field, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Field, e.Message)
}

// Render gives the objects of one Gateway's proxy. The error is a *ParametersError where the user can mend it.
func Render(in Input) (*Output, error) {
	s, err := settle(in)
	if err != nil {
		return nil, err
	}
	generated, err := overlay(in, s)
	if err != nil {
		return nil, fmt.Errorf("rendering Gateway %s/%s: %w", in.Gateway.Namespace, in.Gateway.Name, err)
	}
	objects, err := patched(in, s, generated)
	if err != nil {
		return nil, fmt.Errorf("rendering Gateway %s/%s: %w", in.Gateway.Namespace, in.Gateway.Name, err)
	}
	objects, err = finish(in, s, objects)
	if err != nil {
		return nil, fmt.Errorf("rendering Gateway %s/%s: %w", in.Gateway.Namespace, in.Gateway.Name, err)
	}
	return &Output{
		Objects:    objects,
		Name:       Name(in.Gateway.Name, in.ClassName),
		AdminPort:  s.adminPort,
		HealthPort: s.healthPort,
	}, nil
}
