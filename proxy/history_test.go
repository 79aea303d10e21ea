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

package proxy

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// pushed is a session in which each table is pushed as what is other than in the one before.
type pushed struct {
	stream     adminv1.Admin_SyncClient
	generation uint64
	before     *table
}

func (h *pushed) advance(t *testing.T, to *table) {
	t.Helper()
	before, after := hashesOf(t, h.before), hashesOf(t, to)
	update := &adminv1.Update{}
	for _, resource := range to.resources {
		if name := resource.GetName(); before[name] != after[name] {
			update.Upserts = append(update.Upserts, resource)
		}
	}
	for name := range before {
		if _, there := after[name]; !there {
			update.Removals = append(update.Removals, name)
		}
	}
	h.generation, h.before = h.generation+1, to
	for _, request := range []*adminv1.SyncRequest{
		{Message: &adminv1.SyncRequest_Update{Update: update}},
		{Message: &adminv1.SyncRequest_Commit{Commit: &adminv1.Commit{Generation: h.generation, TableHash: adminv1.TableHash(after)}}},
	} {
		if err := h.stream.Send(request); err != nil {
			t.Fatal(err)
		}
	}
	response, err := h.stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if ack := response.GetAck(); ack.GetGeneration() != h.generation || len(ack.GetErrors()) > 0 {
		t.Fatalf("table %d: %v", h.generation, response)
	}
}

func hashesOf(t *testing.T, b *table) map[string]string {
	t.Helper()
	hashes := map[string]string{}
	for _, resource := range b.resources {
		hash, err := adminv1.Hash(resource)
		if err != nil {
			t.Fatal(err)
		}
		resource.Hash, hashes[resource.GetName()] = hash, hash
	}
	return hashes
}

// A proxy that runs for months has got tables without number, of names that it never sees again. A thousand of them, each with
// listeners, certificates, backends and routes of its own that are asked for, leave in it what one leaves.
func TestAThousandTablesLeaveWhatOneLeaves(t *testing.T) {
	ca := testca.New(t)
	servers := []string{echo(t, "a"), echo(t, "b"), echo(t, "c"), echo(t, "d"), echo(t, "e")}
	stays := new(table).listener("plain", 80, "").certificate(t, ca, "own", "a.test").secured("secured", 443, "", "own").
		streamListener("tcp", adminv1.Protocol_PROTOCOL_TCP, 5432).backend("stays", servers[0]).route("stays", "plain", "/stays", "stays=1")
	base := func() *table { return &table{resources: slices.Clone(stays.resources)} }
	p := start(t, nil, withAdmin(t, ca, t.TempDir()))
	stream, _ := session(t, p, ca)
	h := &pushed{stream: stream, before: new(table)}
	h.advance(t, base())
	plain := address(t, p, 80)
	ask := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	change := func(i int) {
		one, name := base(), fmt.Sprint("b", i)
		one.backend(name, servers[1+i%4]).route(fmt.Sprint("r", i), "plain", "/goes", name+"=1", "stays=1").
			streamBackend(name+"-tcp", servers[1+(i+1)%4]).streamRoute(fmt.Sprint("s", i), nil, "tcp", name+"-tcp=1")
		if i%10 == 0 {
			one.listener(fmt.Sprint("l", i), 81, "")
		}
		if i%50 == 0 {
			one.certificate(t, ca, fmt.Sprint("c", i), fmt.Sprintf("h%d.test", i)).secured(fmt.Sprint("t", i), 443, fmt.Sprintf("h%d.test", i), fmt.Sprint("c", i))
		}
		h.advance(t, one)
		if status, _ := get(t, ask, plain, "h", "/goes"); status != http.StatusOK {
			t.Fatalf("table %d: %d", i, status)
		}
		if i%3 == 0 {
			h.advance(t, base())
		}
	}
	kept := func() string {
		h.advance(t, base())
		if status, _ := get(t, ask, plain, "h", "/stays"); status != http.StatusOK {
			t.Fatalf("what stays: %d", status)
		}
		return strings.Join([]string{
			fmt.Sprint("endpoints ", p.pool.Len()), fmt.Sprint("counts of requests ", len(p.Requests())),
		}, ", ")
	}
	change(0)
	before := kept()
	goroutines, open := runtime.NumGoroutine(), descriptors(t)
	// The last ones differ by their backends and routes alone, of which everything has to be let go of one by one.
	for i := range 1007 {
		change(i + 1)
	}
	if after := kept(); after != before {
		t.Errorf("a thousand tables leave %s, and one leaves %s", after, before)
	}
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "as few descriptors as before", func() bool { return descriptors(t) <= open })
}
