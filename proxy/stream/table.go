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

package stream

import (
	"github.com/rauta-dev/rauta/proxy/route"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// Table is everything that decides where streams go. It is immutable.
type Table struct {
	Routes   *Routes
	Backends []*upstream.Backend
}

// Routes are found by listener, and by server name where the client has asked for one.
type Routes struct {
	listeners map[string]*route.Names[*Route]
}

// NewRoutes makes a table without routes.
func NewRoutes() *Routes { return &Routes{listeners: make(map[string]*route.Names[*Route])} }

// Add attaches a route to a listener, by its resource name; without hostnames for any. Of several for one hostname the first
// that is added serves.
func (r *Routes) Add(listener string, hostnames []string, added *Route) {
	names := r.listeners[listener]
	if names == nil {
		names = &route.Names[*Route]{}
		r.listeners[listener] = names
	}
	if len(hostnames) == 0 {
		hostnames = []string{""}
	}
	for _, hostname := range hostnames {
		names.Add(hostname, added)
	}
}

// find gives the route of a listener that takes a server name; nil when there is none.
func (r *Routes) find(listener, serverName string) *Route {
	names := r.listeners[listener]
	if names == nil {
		return nil
	}
	found, _ := names.Find(serverName)
	return found
}

// Route is where the streams of a listener go.
type Route struct {
	// Name of the resource.
	Name string
	// Split chooses among Shares; nil when there are none.
	Split *upstream.Split
	// Shares are indexes into Table.Backends, NoBackend for one that relays nothing.
	Shares []int
}

// NoBackend is a share whose backend does not serve.
const NoBackend = -1

// Choose gives the backend of the next stream; nil when there is none, with the reason. A route that is there has its turn either
// way.
func (t *Table) Choose(listener, serverName string) (*upstream.Backend, Reason) {
	found := t.Routes.find(listener, serverName)
	if found == nil {
		return nil, ReasonNoRoute
	}
	if found.Split == nil {
		return nil, ReasonNoBackend
	}
	share := found.Shares[found.Split.Next()]
	if share == NoBackend {
		return nil, ReasonNoBackend
	}
	return t.Backends[share], ReasonOK
}
