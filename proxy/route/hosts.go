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

import (
	"bytes"
	"maps"
	"strings"
)

// hosts finds values by hostname, from the most specific to the least: the exact one by map, then the wildcards by one
// map look-up per label, from the longest suffix to the shortest, then the one for any host.
//
// The hard case is to go on after a hostname whose rules do not take the request, without allocating: a position says
// where the walk is, and the next one is computed from it and the host alone.
type hosts[V any] struct {
	exact map[string]V
	// wildcard by suffix with its leading dot: ".example.com".
	wildcard map[string]V
	fallback *V
}

// position is a step of the walk over a host: onExact, the index of the dot where a wildcard's suffix begins, onAny, or
// atEnd.
type position int

const (
	onExact position = -1
	onAny   position = -2
	atEnd   position = -3
)

func (p position) valid() bool { return p != atEnd }

func (h *hosts[V]) get(hostname string) (V, bool) {
	if hostname == "" {
		if h.fallback == nil {
			var none V
			return none, false
		}
		return *h.fallback, true
	}
	if suffix, isWildcard := strings.CutPrefix(hostname, "*"); isWildcard {
		value, found := h.wildcard[suffix]
		return value, found
	}
	value, found := h.exact[hostname]
	return value, found
}

func (h *hosts[V]) set(hostname string, value V) {
	if hostname == "" {
		h.fallback = &value
		return
	}
	if suffix, isWildcard := strings.CutPrefix(hostname, "*"); isWildcard {
		if h.wildcard == nil {
			h.wildcard = make(map[string]V)
		}
		h.wildcard[suffix] = value
		return
	}
	if h.exact == nil {
		h.exact = make(map[string]V)
	}
	h.exact[hostname] = value
}

func (h *hosts[V]) each(visit func(V)) {
	for _, value := range h.exact {
		visit(value)
	}
	for _, value := range h.wildcard {
		visit(value)
	}
	if h.fallback != nil {
		visit(*h.fallback)
	}
}

// first is the position of the most specific value for a host, atEnd when there is none.
func (h *hosts[V]) first(host []byte) position {
	if _, found := h.exact[string(host)]; found {
		return onExact
	}
	return h.next(host, onExact)
}

// next is the position of the most specific value after one.
func (h *hosts[V]) next(host []byte, at position) position {
	if at == onAny || at == atEnd {
		return atEnd
	}
	if len(h.wildcard) > 0 {
		// A wildcard stands for at least one label: a dot at the very beginning is none.
		for dot := nextDot(host, max(int(at)+1, 1)); dot > 0; dot = nextDot(host, dot+1) {
			if _, found := h.wildcard[string(host[dot:])]; found {
				return position(dot)
			}
		}
	}
	if h.fallback != nil {
		return onAny
	}
	return atEnd
}

// value is what is at a valid position.
func (h *hosts[V]) value(host []byte, at position) V {
	switch at {
	case onExact:
		return h.exact[string(host)]
	case onAny:
		return *h.fallback
	}
	return h.wildcard[string(host[at:])]
}

func nextDot(host []byte, from int) int {
	if from >= len(host) {
		return -1
	}
	i := bytes.IndexByte(host[from:], '.')
	if i < 0 {
		return -1
	}
	return from + i
}

// clone copies the hostnames, not what they lead to.
func (h *hosts[V]) clone() *hosts[V] {
	return &hosts[V]{exact: maps.Clone(h.exact), wildcard: maps.Clone(h.wildcard), fallback: h.fallback}
}

func (h *hosts[V]) remove(hostname string) {
	if hostname == "" {
		h.fallback = nil
		return
	}
	if suffix, isWildcard := strings.CutPrefix(hostname, "*"); isWildcard {
		delete(h.wildcard, suffix)
		return
	}
	delete(h.exact, hostname)
}
