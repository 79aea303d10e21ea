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

package route

// Names finds values by server name: the exact one, then that of the longest wildcard, then the one for any name.
type Names[V any] struct{ hosts hosts[V] }

// Add adds a value for a hostname in lower case: exact, "*.example.com", or empty for any. The first one of a hostname stays.
func (n *Names[V]) Add(hostname string, value V) {
	if _, taken := n.hosts.get(hostname); !taken {
		n.hosts.set(hostname, value)
	}
}

// Find gives the value of the most specific hostname that takes a name in lower case.
func (n *Names[V]) Find(name string) (V, bool) {
	var buffer [maxHost]byte
	host := canonicalHost(buffer[:0], name)
	at := n.hosts.first(host)
	if !at.valid() {
		var none V
		return none, false
	}
	return n.hosts.value(host, at), true
}
