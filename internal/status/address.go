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

package status

import (
	corev1 "k8s.io/api/core/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// maxAddresses is the API's bound on GatewayStatus.addresses.
const maxAddresses = 16

// Addresses are the addresses at which a proxy's Service can be reached on the listeners' ports, in the Service's
// order: for type LoadBalancer those that the load balancer gave, else the cluster's own; and external IPs after them.
// Nil for a Service that is nil or has none yet.
func Addresses(service *corev1.Service) []gatewayv1.GatewayStatusAddress {
	if service == nil {
		return nil
	}
	var addresses []gatewayv1.GatewayStatusAddress
	add := func(addressType gatewayv1.AddressType, value string) {
		if value != "" && len(addresses) < maxAddresses {
			addresses = append(addresses, gatewayv1.GatewayStatusAddress{Type: &addressType, Value: value})
		}
	}
	switch service.Spec.Type {
	case corev1.ServiceTypeLoadBalancer:
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			if ingress.IP != "" {
				add(gatewayv1.IPAddressType, ingress.IP)
				continue
			}
			add(gatewayv1.HostnameAddressType, ingress.Hostname)
		}
	default:
		// A NodePort Service answers on the listeners' ports at its cluster IP only: on the nodes the ports are others.
		for _, ip := range clusterIPs(service) {
			add(gatewayv1.IPAddressType, ip)
		}
	}
	for _, ip := range service.Spec.ExternalIPs {
		add(gatewayv1.IPAddressType, ip)
	}
	return addresses
}

func clusterIPs(service *corev1.Service) []string {
	if service.Spec.ClusterIP == corev1.ClusterIPNone {
		return nil
	}
	if len(service.Spec.ClusterIPs) > 0 {
		return service.Spec.ClusterIPs
	}
	return []string{service.Spec.ClusterIP}
}
