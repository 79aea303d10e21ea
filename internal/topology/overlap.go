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
	"iter"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

var overlapFeatures = []features.FeatureName{
	features.SupportGatewayHTTPSListenerDetectMisdirectedRequests,
}

// tlsHosts are the listeners that end TLS for requests, by port, so that of a thousand each is not compared with all others.
type tlsHosts map[int32]*hostPlaces

// hostPlaces are places of listeners.
type hostPlaces struct {
	all []int
	// exactly are those of a hostname, and under those whose hostname ends with a suffix that begins with a dot.
	exactly, under map[string][]int
}

func tlsHostsOf(listeners []Listener) tlsHosts {
	hosts := tlsHosts{}
	for i := range listeners {
		l := &listeners[i]
		if l.Protocol != gatewayv1.HTTPSProtocolType || l.lost() {
			continue
		}
		if hosts[l.Port] == nil {
			hosts[l.Port] = &hostPlaces{exactly: map[string][]int{}, under: map[string][]int{}}
		}
		on := hosts[l.Port]
		on.all = append(on.all, i)
		on.exactly[l.Hostname] = append(on.exactly[l.Hostname], i)
		for suffix := range suffixes(l.Hostname) {
			on.under[suffix] = append(on.under[suffix], i)
		}
	}
	return hosts
}

// suffixes are what follows the labels of a hostname, each with the dot before it, from the longest to the shortest.
func suffixes(hostname string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := range len(hostname) {
			if hostname[at] == '.' && !yield(hostname[at:]) {
				return
			}
		}
	}
}

// sharing are the places of those that share hosts with a hostname, in order.
func (h *hostPlaces) sharing(hostname string) []int {
	if hostname == "" {
		return h.all
	}
	found := slices.Concat(h.exactly[hostname], h.exactly[""])
	for suffix := range suffixes(hostname) {
		found = append(found, h.exactly["*"+suffix]...)
	}
	if suffix, wildcard := strings.CutPrefix(hostname, "*"); wildcard {
		found = append(found, h.under[suffix]...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// overlappingTLS decides whether listener i shares hosts with another one that ends TLS on the same port. A client may then
// send a request over a connection that was opened for the other; it is answered with 421.
//
// "Controllers MUST detect the presence of overlapping hostnames and MAY detect the presence of overlapping certificates. This
// condition MUST be set on all Listeners with overlapping TLS config." (ListenerConditionOverlappingTLSConfig)
func overlappingTLS(listeners []Listener, hosts tlsHosts, i int) *Decision {
	l := &listeners[i]
	if l.Protocol != gatewayv1.HTTPSProtocolType || l.lost() {
		return nil
	}
	var others []string
	for _, j := range hosts[l.Port].sharing(l.Hostname) {
		if j == i {
			continue
		}
		other := &listeners[j]
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
