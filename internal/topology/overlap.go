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

var overlapFeatures = []features.FeatureName{
	features.SupportGatewayHTTPSListenerDetectMisdirectedRequests,
}

// overlappingTLS decides whether listener i shares hosts with another one that ends TLS on the same port. A client may then
// send a request over a connection that was opened for the other; it is answered with 421.
//
// "Controllers MUST detect the presence of overlapping hostnames and MAY detect the presence of overlapping certificates. This
// condition MUST be set on all Listeners with overlapping TLS config." (ListenerConditionOverlappingTLSConfig)
func overlappingTLS(listeners []Listener, i int) *Decision {
	l := &listeners[i]
	if l.Protocol != gatewayv1.HTTPSProtocolType || l.lost() {
		return nil
	}
	var others []string
	for j := range listeners {
		other := &listeners[j]
		if j == i || other.lost() || other.Protocol != l.Protocol || other.Port != l.Port || !overlap([]string{l.Hostname}, []string{other.Hostname}) {
			continue
		}
		name := fmt.Sprintf("%q", other.ListenerKey)
		// The author of a ListenerSet is not told what others of the Gateway there are.
		if l.ofSet() && l.Set != other.Set {
			name = "of the Gateway or another ListenerSet"
		}
		others = appendNew(others, name)
	}
	if len(others) == 0 {
		return nil
	}
	decision := yes(gatewayv1.ListenerConditionOverlappingTLSConfig, gatewayv1.ListenerReasonOverlappingHostnames, fmt.Sprintf(
		"hostname %q overlaps with those of listeners %s; a request over a connection that was opened for another of them is answered with 421",
		l.Hostname, enumerate(others)))
	return &decision
}
