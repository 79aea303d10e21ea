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

package soak

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"k8s.io/apimachinery/pkg/types"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// tables are what the proxies' tables had, by what they acknowledged. The mark of a resource tells one generation of its object from
// the others: the weight of a route's first backend, and the port of a listener.
type tables struct {
	mu       sync.Mutex
	replicas map[string]*replica
	// pushed counts resources and removals on their way to any replica.
	pushed int
}

type replica struct {
	gateway types.NamespacedName
	admin   string
	// steady is one that is always ready.
	steady bool
	// table has the marks of what was acknowledged last, and quarantined says why some of it is not used.
	table       map[string]uint32
	quarantined map[string]string
	// had are the marks of all that was used ever, by resource.
	had map[string]map[uint32]bool
}

func newTables() *tables { return &tables{replicas: map[string]*replica{}} }

// replica makes a replica of a Gateway known, and gives its address.
func (t *tables) replica(gateway types.NamespacedName, admin string, steady bool) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	address := fmt.Sprintf("198.51.100.%d", len(t.replicas)+1)
	t.replicas[address] = &replica{gateway: gateway, admin: admin, steady: steady, had: map[string]map[uint32]bool{}, table: map[string]uint32{}}
	return address
}

// move has a replica be at another place.
func (t *tables) move(address, admin string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replicas[address].admin = admin
}

// served reports whether every replica of a Gateway that is always ready has acknowledged a table in which one of the names had a mark.
func (t *tables) served(gateway types.NamespacedName, mark uint32, names ...string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := false
	for _, r := range t.replicas {
		if r.gateway != gateway || !r.steady {
			continue
		}
		found = false
		for _, name := range names {
			found = found || r.had[name][mark]
		}
		if !found {
			return false
		}
	}
	return found
}

// tell says which marks the tables of the replicas had of a resource.
func (t *tables) tell(names ...string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	said := ""
	for address, r := range t.replicas {
		for _, name := range names {
			if len(r.had[name]) > 0 || len(r.quarantined[name]) > 0 {
				said += fmt.Sprintf("; %s of %s had of %s %v, and refused %q", address, r.gateway, name, slices.Sorted(maps.Keys(r.had[name])), r.quarantined[name])
			}
		}
	}
	return said
}

func (t *tables) pushes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pushed
}

// follow is an interceptor that looks at what is pushed, and at what is acknowledged.
func (t *tables) follow(
	ctx context.Context, desc *grpc.StreamDesc, connection *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := streamer(ctx, desc, connection, method, opts...)
	if err != nil {
		return nil, err
	}
	target := connection.Target()
	host, _, err := net.SplitHostPort(target[strings.LastIndex(target, "/")+1:])
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return &followed{ClientStream: stream, tables: t, replica: t.replicas[host], committed: map[uint64][]marked{}}, nil
}

type marked struct {
	name string
	mark uint32
}

// followed is one session.
type followed struct {
	grpc.ClientStream
	tables  *tables
	replica *replica
	// staged is what was sent since the last commit, and committed what each of those that are not answered yet brought.
	staged    []marked
	committed map[uint64][]marked
}

// SendMsg notes what an Update carries and which generation a Commit names, before they are sent.
func (f *followed) SendMsg(message any) error {
	if request, ok := message.(*adminv1.SyncRequest); ok && f.replica != nil {
		f.tables.mu.Lock()
		update := request.GetUpdate()
		f.tables.pushed += len(update.GetUpserts()) + len(update.GetRemovals())
		for _, resource := range update.GetUpserts() {
			if mark, has := markOf(resource); has {
				f.staged = append(f.staged, marked{resource.GetName(), mark})
			}
		}
		if commit := request.GetCommit(); commit != nil {
			f.committed[commit.GetGeneration()] = f.staged
			f.staged = nil
		}
		f.tables.mu.Unlock()
	}
	return f.ClientStream.SendMsg(message)
}

// RecvMsg notes what a table has that was acknowledged, before the operator hears of it.
func (f *followed) RecvMsg(message any) error {
	err := f.ClientStream.RecvMsg(message)
	response, ok := message.(*adminv1.SyncResponse)
	if err != nil || !ok || f.replica == nil {
		return err
	}
	ack := response.GetAck()
	if ack == nil || ack.GetRefused() != adminv1.Refusal_REFUSAL_UNSPECIFIED {
		return nil
	}
	quarantined := map[string]string{}
	for _, wrong := range ack.GetErrors() {
		quarantined[wrong.GetName()] = wrong.GetMessage()
	}
	f.tables.mu.Lock()
	defer f.tables.mu.Unlock()
	for generation, brought := range f.committed {
		if generation <= ack.GetGeneration() {
			delete(f.committed, generation)
			f.replica.has(brought)
		}
	}
	f.replica.uses(quarantined)
	return nil
}

// has notes what came into the table.
func (r *replica) has(brought []marked) {
	for _, m := range brought {
		r.table[m.name] = m.mark
	}
}

// uses notes what of the table is used: all but what is quarantined, which may be mended by what it names.
func (r *replica) uses(quarantined map[string]string) {
	r.quarantined = quarantined
	for name, mark := range r.table {
		if _, is := quarantined[name]; is {
			continue
		}
		if r.had[name] == nil {
			r.had[name] = map[uint32]bool{}
		}
		r.had[name][mark] = true
	}
}

func markOf(resource *adminv1.Resource) (uint32, bool) {
	switch {
	case resource.GetListener() != nil:
		return resource.GetListener().GetPort(), true
	case resource.GetStreamRoute() != nil:
		if backends := resource.GetStreamRoute().GetBackends(); len(backends) > 0 {
			return backends[0].GetWeight(), true
		}
	case resource.GetRoute() != nil:
		if rules := resource.GetRoute().GetRules(); len(rules) > 0 && len(rules[0].GetBackends()) > 0 {
			return rules[0].GetBackends()[0].GetWeight(), true
		}
	}
	return 0, false
}
