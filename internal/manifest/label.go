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
	"maps"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// Labels of generated objects. The first two are Gateway API's own (GEP-1762), the others Kubernetes' recommended ones.
const (
	LabelGatewayName      = "gateway.networking.k8s.io/gateway-name"
	LabelGatewayClassName = "gateway.networking.k8s.io/gateway-class-name"
	LabelName             = "app.kubernetes.io/name"
	LabelInstance         = "app.kubernetes.io/instance"
	LabelComponent        = "app.kubernetes.io/component"
	LabelManagedBy        = "app.kubernetes.io/managed-by"
)

// Values of these labels that do not depend on the Gateway.
const (
	appName   = "rauta-proxy"
	component = "proxy"
	// ManagedBy is the value of LabelManagedBy on everything that the operator made.
	ManagedBy = "rauta"
)

// AnnotationBootstrapHash is on the pods: a changed bootstrap replaces them.
const AnnotationBootstrapHash = "gateway.rauta.dev/bootstrap-hash"

// Labels are those that every object of a Gateway carries, and its pods, whatever else is put on them.
func Labels(gateway, class string) map[string]string {
	labels := SelectorLabels(gateway, class)
	labels[LabelComponent] = component
	labels[LabelManagedBy] = ManagedBy
	labels[LabelGatewayName] = LabelValue(gateway)
	labels[LabelGatewayClassName] = LabelValue(class)
	return labels
}

// SelectorLabels are those by which a Gateway's pods are selected. A Deployment's selector cannot be changed, so no
// other label may ever come in.
func SelectorLabels(gateway, class string) map[string]string {
	return map[string]string{
		LabelName:     appName,
		LabelInstance: Name(gateway, class),
	}
}

// objectLabels are all labels of an object: the parameters', over them the Gateway's own from spec.infrastructure ("Labels that
// SHOULD be applied to any resources created in response to this Gateway."), and over all the operator's.
func objectLabels(in Input) map[string]string {
	labels := make(map[string]string)
	for key, value := range in.Parameters.Labels {
		labels[key] = string(value)
	}
	for key, value := range infrastructure(in.Gateway).Labels {
		labels[string(key)] = string(value)
	}
	maps.Copy(labels, Labels(in.Gateway.Name, in.ClassName))
	return labels
}

// objectAnnotations are the annotations of every object, in the same order of precedence. Empty where there are none.
func objectAnnotations(in Input) map[string]string {
	annotations := make(map[string]string)
	copyAnnotations(annotations, in.Parameters.Annotations)
	for key, value := range infrastructure(in.Gateway).Annotations {
		annotations[string(key)] = string(value)
	}
	return annotations
}

func copyAnnotations(to map[string]string, from map[string]v1alpha1.AnnotationValue) {
	for key, value := range from {
		to[key] = string(value)
	}
}

// infrastructure is spec.infrastructure, or an empty one.
func infrastructure(gateway *gatewayv1.Gateway) gatewayv1.GatewayInfrastructure {
	if gateway.Spec.Infrastructure == nil {
		return gatewayv1.GatewayInfrastructure{}
	}
	return *gateway.Spec.Infrastructure
}
