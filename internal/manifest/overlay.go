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
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// containerName is the proxy's container; sidecars have other names.
const containerName = "proxy"

// fields is a piece of an object as it stands in a strategic merge patch.
type fields = map[string]any

// overlay is what is generated over the base: for each wanted kind a strategic merge patch. A kind without one is not wanted.
func overlay(in Input, s settings) (map[string]fields, error) {
	text, err := renderBootstrap(in, s)
	if err != nil {
		return nil, err
	}
	patches := map[string]fields{
		kindConfigMap:      {"data": fields{bootstrapKey: text}},
		kindNetworkPolicy:  {"spec": networkPolicySpec(in, s)},
		kindServiceAccount: {},
	}
	// A Service must have a port, which it has from a valid listener. Without a Service nobody finds the pods, the
	// operator no more than clients: they would wait for a table for ever.
	if len(in.Ports) > 0 {
		patches[kindService] = fields{"spec": serviceSpec(in, s)}
		addPods(patches, in, s)
	}
	for kind, patch := range patches {
		patch["metadata"] = metadata(in, kind)
	}
	return patches, nil
}

// addPods adds the objects that make pods and keep them.
func addPods(patches map[string]fields, in Input, s settings) {
	patches[kindDeployment] = fields{"spec": deploymentSpec(in, s)}
	// For one replica a budget would either forbid every eviction or none.
	if s.replicas > 1 {
		patches[kindPodDisruptionBudget] = fields{"spec": fields{
			"maxUnavailable": s.unavailable,
			"selector":       selector(in),
		}}
	}
	if s.autoscaling != nil {
		patches[kindHorizontalPodAutoscaler] = fields{"spec": autoscalerSpec(s.autoscaling)}
	}
}

// metadata names an object and puts labels and annotations on it.
func metadata(in Input, kind string) fields {
	annotations := objectAnnotations(in)
	if kind == kindService && in.Parameters.Service != nil {
		copyAnnotations(annotations, in.Parameters.Service.Annotations)
	}
	meta := fields{
		"name":      Name(in.Gateway.Name, in.ClassName),
		"namespace": in.Gateway.Namespace,
		"labels":    objectLabels(in),
	}
	if len(annotations) > 0 {
		meta["annotations"] = annotations
	}
	return meta
}

func selector(in Input) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: SelectorLabels(in.Gateway.Name, in.ClassName)}
}

func deploymentSpec(in Input, s settings) fields {
	podMeta := fields{"labels": objectLabels(in)}
	if annotations := objectAnnotations(in); len(annotations) > 0 {
		podMeta["annotations"] = annotations
	}
	spec := fields{
		"selector": selector(in),
		"template": fields{"metadata": podMeta, "spec": podSpec(in, s)},
	}
	// An autoscaler owns the number; to write it here as well would undo each of its decisions.
	if s.autoscaling == nil {
		spec["replicas"] = s.replicas
	}
	return spec
}

func podSpec(in Input, s settings) fields {
	name := Name(in.Gateway.Name, in.ClassName)
	spec := fields{
		"serviceAccountName":            name,
		"terminationGracePeriodSeconds": gracePeriod(s.drainDelay, s.drainTimeout),
		"topologySpreadConstraints":     spreadConstraints(in),
		"containers":                    []fields{container(in, s)},
		// kustomize renames the reference to the ConfigMap with the ConfigMap; the Secret is not its to know.
		"volumes": []fields{{"name": "identity", "secret": fields{"secretName": name}}},
	}
	if image := in.Parameters.Image; image != nil && len(image.PullSecrets) > 0 {
		spec["imagePullSecrets"] = image.PullSecrets
	}
	scheduling := in.Parameters.Scheduling
	if scheduling == nil {
		return spec
	}
	if len(scheduling.NodeSelector) > 0 {
		spec["nodeSelector"] = scheduling.NodeSelector
	}
	if len(scheduling.Tolerations) > 0 {
		spec["tolerations"] = scheduling.Tolerations
	}
	if scheduling.Affinity != nil {
		spec["affinity"] = scheduling.Affinity
	}
	if scheduling.PriorityClassName != nil {
		spec["priorityClassName"] = *scheduling.PriorityClassName
	}
	return spec
}

// container is the proxy's. The listeners' ports are not among its ports, which only inform: listed there, each new listener
// would replace the pods that could have been told of it.
func container(in Input, s settings) fields {
	c := fields{
		"name":            containerName,
		"image":           s.image,
		"imagePullPolicy": s.pullPolicy,
		"ports": []corev1.ContainerPort{
			{Name: adminPortName, ContainerPort: s.adminPort, Protocol: corev1.ProtocolTCP},
			{Name: healthPortName, ContainerPort: s.healthPort, Protocol: corev1.ProtocolTCP},
			{Name: peersPortName, ContainerPort: s.peersPort, Protocol: corev1.ProtocolTCP},
		},
	}
	resources := fields{}
	if r := in.Parameters.Resources; r != nil {
		if len(r.Requests) > 0 {
			resources["requests"] = r.Requests
		}
		if len(r.Limits) > 0 {
			resources["limits"] = r.Limits
		}
	}
	if len(resources) > 0 {
		c["resources"] = resources
	}
	return c
}

// spreadConstraints are those of the parameters, with the proxy's own pods counted where nothing is said, or a soft
// preference for different zones and nodes. A hard one would leave pods pending on a small cluster.
func spreadConstraints(in Input) []corev1.TopologySpreadConstraint {
	if s := in.Parameters.Scheduling; s != nil && len(s.TopologySpreadConstraints) > 0 {
		constraints := slices.Clone(s.TopologySpreadConstraints)
		for i := range constraints {
			constraints[i].LabelSelector = cmp.Or(constraints[i].LabelSelector, selector(in))
		}
		return constraints
	}
	constraints := make([]corev1.TopologySpreadConstraint, 0, 2)
	for _, key := range []string{corev1.LabelTopologyZone, corev1.LabelHostname} {
		constraints = append(constraints, corev1.TopologySpreadConstraint{
			MaxSkew:           1,
			TopologyKey:       key,
			WhenUnsatisfiable: corev1.ScheduleAnyway,
			LabelSelector:     selector(in),
		})
	}
	return constraints
}

func serviceSpec(in Input, s settings) fields {
	ports := make([]fields, 0, len(in.Ports))
	for _, p := range servicePorts(in.Ports) {
		port := fields{"name": p.name, "port": p.Port, "targetPort": p.Port, "protocol": p.Protocol}
		if p.AppProtocol != "" {
			port["appProtocol"] = p.AppProtocol
		}
		ports = append(ports, port)
	}
	spec := fields{
		"type":     s.serviceType,
		"selector": SelectorLabels(in.Gateway.Name, in.ClassName),
		"ports":    ports,
	}
	if address := staticAddress(in.Gateway); address != "" && s.serviceType == corev1.ServiceTypeLoadBalancer {
		spec["loadBalancerIP"] = address
	}
	svc := in.Parameters.Service
	if svc == nil {
		return spec
	}
	if svc.ExternalTrafficPolicy != nil {
		spec["externalTrafficPolicy"] = *svc.ExternalTrafficPolicy
	}
	if svc.LoadBalancerClass != nil {
		spec["loadBalancerClass"] = *svc.LoadBalancerClass
	}
	if len(svc.LoadBalancerSourceRanges) > 0 {
		spec["loadBalancerSourceRanges"] = svc.LoadBalancerSourceRanges
	}
	return spec
}

// staticAddress is the address that the Gateway asks for, or empty. A Service can ask for one, so it is the first; whether
// all were assigned shows in the Service's status.
//
// "Addresses requested for this Gateway. This is optional and behavior can depend on the implementation." (GatewaySpec.addresses)
func staticAddress(gateway *gatewayv1.Gateway) string {
	for _, address := range gateway.Spec.Addresses {
		if address.Type != nil && *address.Type != gatewayv1.IPAddressType {
			continue
		}
		if parsed, err := netip.ParseAddr(address.Value); err == nil {
			return parsed.String()
		}
	}
	return ""
}

// networkPolicySpec leaves the listeners' ports and the health port open, the admin port to the operator alone, and the peers'
// port to the proxy's own pods. An ingress rule without ports would open every port, so there is no listeners' rule without listeners.
func networkPolicySpec(in Input, s settings) fields {
	ingress := make([]fields, 0, 4)
	if ports := servicePorts(in.Ports); len(ports) > 0 {
		open := make([]fields, 0, len(ports))
		for _, p := range ports {
			open = append(open, fields{"port": p.Port, "protocol": p.Protocol})
		}
		ingress = append(ingress, fields{"ports": open})
	}
	operator := fields{
		"namespaceSelector": metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: in.OperatorNamespace}},
		"podSelector":       metav1.LabelSelector{MatchLabels: in.OperatorPodLabels},
	}
	ingress = append(ingress,
		fields{
			"from":  []fields{operator},
			"ports": []fields{{"port": s.adminPort, "protocol": corev1.ProtocolTCP}},
		},
		fields{
			"from":  []fields{{"podSelector": selector(in)}},
			"ports": []fields{{"port": s.peersPort, "protocol": corev1.ProtocolTCP}},
		},
		fields{"ports": []fields{{"port": s.healthPort, "protocol": corev1.ProtocolTCP}}},
	)
	return fields{"podSelector": selector(in), "ingress": ingress}
}

func autoscalerSpec(a *v1alpha1.Autoscaling) fields {
	return fields{
		"minReplicas": *a.MinReplicas,
		"maxReplicas": a.MaxReplicas,
		"metrics": []fields{{
			"type": "Resource",
			"resource": fields{
				"name":   "cpu",
				"target": fields{"type": "Utilization", "averageUtilization": *a.TargetCPUUtilizationPercentage},
			},
		}},
	}
}
