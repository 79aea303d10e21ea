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

package topology_test

import (
	"fmt"
	"strings"

	"github.com/rauta-dev/rauta/internal/topology"
)

// short is a decision as a word: "Accepted=False/UnsupportedValue".
func short(d topology.Decision) string {
	return fmt.Sprintf("%s=%s/%s", d.Type, d.Status, d.Reason)
}

func shorts(decisions []topology.Decision) string {
	words := make([]string, len(decisions))
	for i := range decisions {
		words[i] = short(decisions[i])
	}
	return strings.Join(words, " ")
}

// listenerLines gives a line for each listener.
func listenerLines(t *topology.Topology) []string {
	var lines []string
	for i := range t.Listeners {
		l := &t.Listeners[i]
		var kinds []string
		for _, kind := range l.SupportedKinds {
			kinds = append(kinds, string(kind.Kind))
		}
		lines = append(lines, fmt.Sprintf("%s: %s kinds=%v attached=%d", l.Name, shorts(l.Decisions()), kinds, l.AttachedRoutes))
	}
	return lines
}

// routeLines gives a line for each parentRef of each route, and one for what the route is served on.
func routeLines(t *topology.Topology) []string {
	var lines []string
	for i := range t.Routes {
		route := &t.Routes[i]
		name := route.Object.GetNamespace() + "/" + route.Object.GetName()
		for j := range route.Parents {
			lines = append(lines, fmt.Sprintf("%s[%d]: %s on %v", name, j, shorts(route.Parents[j].Decisions()), route.Parents[j].Listeners))
		}
		for _, attachment := range route.Attachments {
			lines = append(lines, fmt.Sprintf("%s serves %s %v", name, attachment.Listener, attachment.Hostnames))
		}
	}
	return lines
}
