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

package topology

import (
	"fmt"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// gatewayFeatures are those of a Gateway's own spec, of which room manifest propagates spec.infrastructure and asks for the addresses.
var gatewayFeatures = []features.FeatureName{
	features.SupportGateway,
	features.SupportGatewayAddressEmpty,
	features.SupportGatewayInfrastructure,
	features.SupportGatewayPort8080,
	features.SupportGatewayStaticAddresses,
}

// gatewayAccepted decides the Gateway's Accepted from its own spec.
func gatewayAccepted(gateway *gatewayv1.Gateway, listeners []Listener) Decision {
	for i, address := range gateway.Spec.Addresses {
		// "the Gateway could not be accepted because an address that was provided is a type which is not supported by
		// the implementation" (UnsupportedAddress). Whether an IP address can be had shows only in the Service, and is
		// then said in Programmed.
		if address.Type != nil && *address.Type != gatewayv1.IPAddressType {
			return no(gatewayv1.GatewayConditionAccepted, gatewayv1.GatewayReasonUnsupportedAddress,
				fmt.Sprintf("spec.addresses[%d]: type %q is not supported; supported is IPAddress", i, *address.Type))
		}
	}
	var invalid []string
	for i := range listeners {
		if !listeners[i].Accepted.True() {
			invalid = append(invalid, fmt.Sprintf("listener %q: %s", listeners[i].Name, listeners[i].Accepted.Message))
		}
	}
	switch {
	case len(listeners) == 0:
		return no(gatewayv1.GatewayConditionAccepted, gatewayv1.GatewayReasonListenersNotValid, "spec.listeners: at least one is required")
	case len(invalid) == len(listeners):
		// "At least one distinct Listener MUST be present, or else the Gateway effectively contains no Listeners, and
		// must be rejected from processing as a whole." (GatewaySpec.listeners)
		return no(gatewayv1.GatewayConditionAccepted, gatewayv1.GatewayReasonListenersNotValid, "no listener is valid: "+enumerate(invalid))
	case len(invalid) > 0:
		return yes(gatewayv1.GatewayConditionAccepted, gatewayv1.GatewayReasonListenersNotValid, fmt.Sprintf(
			"%d of %d listeners are valid; not valid: %s", len(listeners)-len(invalid), len(listeners), enumerate(invalid)))
	default:
		return yes(gatewayv1.GatewayConditionAccepted, gatewayv1.GatewayReasonAccepted, "the Gateway and all its listeners are valid")
	}
}

// gatewayResolvedRefs decides ResolvedRefs: what is wrong with the Gateway's own reference, else the sum of its listeners'.
func gatewayResolvedRefs(listeners []Listener, own *Problem) Decision {
	var unresolved []string
	reason := string(gatewayv1.GatewayReasonListenersNotResolved)
	if own != nil {
		reason, unresolved = own.Reason, append(unresolved, own.Message)
	}
	for i := range listeners {
		if !listeners[i].ResolvedRefs.True() {
			unresolved = append(unresolved, fmt.Sprintf("listener %q: %s", listeners[i].Name, listeners[i].ResolvedRefs.Message))
		}
	}
	if len(unresolved) > 0 {
		return no(gatewayv1.GatewayConditionResolvedRefs, reason, enumerate(unresolved))
	}
	return yes(gatewayv1.GatewayConditionResolvedRefs, gatewayv1.GatewayReasonResolvedRefs, "all references are resolved")
}
