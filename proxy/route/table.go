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

import "strings"

// Table finds the rule that takes a request. It is immutable, and safe for use by many goroutines.
type Table[T any] struct {
	ports map[uint16]*hosts[*listener[T]]
	// listeners by name, also those that no port has.
	listeners map[string]*listener[T]
}

// listener holds the routes of one listener by their own hostnames.
type listener[T any] struct {
	// port and hostname by which it is found.
	port     uint16
	hostname string
	byHost   hosts[*paths[T]]
}

// Build makes a table. Attachments to listeners that are not given are ignored; of two listeners with the same port and
// hostname, the first serves.
func Build[T any](listeners []Listener, routes []Route[T]) *Table[T] {
	kept := make([]*Route[T], len(routes))
	for i := range routes {
		kept[i] = &routes[i]
	}
	return Of(listeners, kept)
}

// Of is Build with routes that the table keeps, so that With can be told of them.
func Of[T any](listeners []Listener, routes []*Route[T]) *Table[T] {
	byName := make(map[string]*listener[T], len(listeners))
	table := &Table[T]{ports: make(map[uint16]*hosts[*listener[T]]), listeners: byName}
	for _, l := range listeners {
		port := table.ports[l.Port]
		if port == nil {
			port = &hosts[*listener[T]]{}
			table.ports[l.Port] = port
		}
		added := &listener[T]{port: l.Port, hostname: l.Hostname}
		byName[l.Name] = added
		if _, taken := port.get(l.Hostname); !taken {
			port.set(l.Hostname, added)
		}
	}
	for i := range routes {
		attach(byName, routes[i])
	}
	for _, l := range byName {
		l.byHost.each(func(p *paths[T]) { p.finish() })
	}
	return table
}

func attach[T any](byName map[string]*listener[T], route *Route[T]) {
	for _, attachment := range route.Attachments {
		l := byName[attachment.Listener]
		if l == nil {
			continue
		}
		for _, hostname := range attachment.hostnamesOrAny() {
			p, found := l.byHost.get(hostname)
			if !found {
				p = newPaths[T]()
				l.byHost.set(hostname, p)
			}
			p.add(route)
		}
	}
}

var anyHostname = []string{""}

func (a *Attachment) hostnamesOrAny() []string {
	if len(a.Hostnames) == 0 {
		return anyHostname
	}
	return a.Hostnames
}

// Lookup gives the value of the rule that takes a request which came to a port. It is false when no listener of the
// port takes the host, or no rule the request.
func (t *Table[T]) Lookup(port uint16, request *Request) (T, bool) {
	var none T
	onPort := t.ports[port]
	if onPort == nil {
		return none, false
	}
	var buffer [maxHost]byte
	host := canonicalHost(buffer[:0], request.Host)
	at := onPort.first(host)
	if !at.valid() {
		return none, false
	}
	byHost := &onPort.value(host, at).byHost
	path := CanonicalPath(request.Path)
	for at := byHost.first(host); at.valid(); at = byHost.next(host, at) {
		if value, found := byHost.value(host, at).lookup(path, request); found {
			return value, true
		}
	}
	return none, false
}

// Misdirected says whether a request for a host came over a connection that was opened for another listener of the port: the
// client asked for a server name in its handshake, by which TLS chose a listener, and a different one takes the host.
//
// Gateway API, Listener.hostname: "If another Listener has an exact match or more specific wildcard entry, the Gateway SHOULD
// return a 421. If the current Listener (selected by SNI matching during ClientHello) does not match the Host: If another
// Listener does match the Host, the Gateway SHOULD return a 421. If no other Listener matches the Host, the Gateway MUST
// return a 404."
func (t *Table[T]) Misdirected(port uint16, serverName, host string) bool {
	onPort := t.ports[port]
	if onPort == nil || strings.EqualFold(withoutPort(host), serverName) {
		return false
	}
	var buffer, nameBuffer [maxHost]byte
	wanted, opened := canonicalHost(buffer[:0], host), canonicalHost(nameBuffer[:0], serverName)
	takes, chose := onPort.first(wanted), onPort.first(opened)
	if !takes.valid() {
		return false
	}
	return !chose.valid() || onPort.value(wanted, takes) != onPort.value(opened, chose)
}

const maxHost = 256

// canonicalHost appends the host in lower case, without port and without one trailing dot. A host that is too long for
// a hostname gives nothing, which only the hostname "any" takes.
func canonicalHost(to []byte, host string) []byte {
	host = withoutPort(host)
	host = strings.TrimSuffix(host, ".")
	if len(host) > maxHost-1 {
		return to
	}
	for i := range len(host) {
		to = append(to, lower(host[i]))
	}
	return to
}

// withoutPort cuts ":80" off "example.com:80" and "[::1]:80".
func withoutPort(host string) string {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.IndexByte(host[colon:], ']') >= 0 {
		return host
	}
	return host[:colon]
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
