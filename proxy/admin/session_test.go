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

package admin

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

func listener(name string, port uint32) *adminv1.Resource {
	return hashed(&adminv1.Resource{Name: name, Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
		Port: port, Protocol: adminv1.Protocol_PROTOCOL_HTTP,
	}}})
}

func hashed(resource *adminv1.Resource) *adminv1.Resource {
	hash, err := adminv1.Hash(resource)
	if err != nil {
		panic(err)
	}
	resource.Hash = hash
	return resource
}

func tableHash(resources ...*adminv1.Resource) string {
	hashes := map[string]string{}
	for _, resource := range resources {
		hashes[resource.GetName()] = resource.GetHash()
	}
	return adminv1.TableHash(hashes)
}

func update(upserts []*adminv1.Resource, removals ...string) *adminv1.SyncRequest {
	return &adminv1.SyncRequest{Message: &adminv1.SyncRequest_Update{
		Update: &adminv1.Update{Upserts: upserts, Removals: removals},
	}}
}

func commit(generation uint64, hash string) *adminv1.SyncRequest {
	return &adminv1.SyncRequest{Message: &adminv1.SyncRequest_Commit{
		Commit: &adminv1.Commit{Generation: generation, TableHash: hash},
	}}
}

func TestSessionFromNothingToADelta(t *testing.T) {
	r := startReplica(t)
	stream := r.session(t)
	want := &adminv1.Inventory{ProxyVersion: "test"}
	if diff := cmp.Diff(want, receive(t, stream).GetInventory(), protocmp.Transform()); diff != "" {
		t.Fatalf("a replica opens with what it has, here nothing (-want +got):\n%s", diff)
	}

	a, b, c := listener("listener/a", 1001), listener("listener/b", 1002), listener("listener/c", 1003)
	send(t, stream, update([]*adminv1.Resource{a}))
	send(t, stream, update([]*adminv1.Resource{b}))
	send(t, stream, commit(1, tableHash(a, b)))
	ack := &adminv1.Ack{Generation: 1, TableHash: tableHash(a, b)}
	if diff := cmp.Diff(ack, receive(t, stream).GetAck(), protocmp.Transform()); diff != "" {
		t.Fatalf("first commit, in two chunks (-want +got):\n%s", diff)
	}

	send(t, stream, update([]*adminv1.Resource{c}, "listener/a", "listener/never-was-there"))
	send(t, stream, commit(2, tableHash(b, c)))
	ack = &adminv1.Ack{Generation: 2, TableHash: tableHash(b, c)}
	if diff := cmp.Diff(ack, receive(t, stream).GetAck(), protocmp.Transform()); diff != "" {
		t.Fatalf("a delta, with a removal of what is not held (-want +got):\n%s", diff)
	}

	again := r.session(t)
	want = &adminv1.Inventory{ProxyVersion: "test", Generation: 2, TableHash: tableHash(b, c)}
	for _, resource := range []*adminv1.Resource{b, c} {
		want.Entries = append(want.Entries, &adminv1.Inventory_Entry{Name: resource.GetName(), Hash: resource.GetHash()})
	}
	if diff := cmp.Diff(want, receive(t, again).GetInventory(), protocmp.Transform()); diff != "" {
		t.Fatalf("a new session opens with what the last one left (-want +got):\n%s", diff)
	}
}

func TestRefusedCommitChangesNothing(t *testing.T) {
	r := startReplica(t)
	stream := r.session(t)
	receive(t, stream)
	a, b := listener("listener/a", 1001), listener("listener/b", 1002)
	send(t, stream, update([]*adminv1.Resource{a}))
	send(t, stream, commit(4, tableHash(a)))
	receive(t, stream)

	send(t, stream, update([]*adminv1.Resource{b}))
	send(t, stream, commit(5, tableHash(b))) // The operator forgot that a is held.
	want := &adminv1.Ack{
		Generation: 5, TableHash: tableHash(a), Refused: adminv1.Refusal_REFUSAL_HASH_MISMATCH,
	}
	if diff := cmp.Diff(want, receive(t, stream).GetAck(), protocmp.Transform()); diff != "" {
		t.Fatalf("refused (-want +got):\n%s", diff)
	}
	if count := r.applied.count(); count != 1 {
		t.Errorf("applied %d tables, want the first alone", count)
	}

	// What was staged is gone: a commit of what is held succeeds.
	send(t, stream, commit(6, tableHash(a)))
	want = &adminv1.Ack{Generation: 6, TableHash: tableHash(a)}
	if diff := cmp.Diff(want, receive(t, stream).GetAck(), protocmp.Transform()); diff != "" {
		t.Fatalf("a commit without resources brings the generation (-want +got):\n%s", diff)
	}
}

func TestInventoryRequestDropsWhatWasStaged(t *testing.T) {
	r := startReplica(t)
	stream := r.session(t)
	receive(t, stream)
	a, b := listener("listener/a", 1001), listener("listener/b", 1002)
	send(t, stream, update([]*adminv1.Resource{a}))
	send(t, stream, &adminv1.SyncRequest{Message: &adminv1.SyncRequest_InventoryRequest{}})
	if entries := receive(t, stream).GetInventory().GetEntries(); len(entries) != 0 {
		t.Fatalf("inventory holds what was only staged: %v", entries)
	}
	send(t, stream, update([]*adminv1.Resource{b}))
	send(t, stream, commit(1, tableHash(b)))
	if ack := receive(t, stream).GetAck(); ack.GetRefused() != 0 || ack.GetTableHash() != tableHash(b) {
		t.Fatalf("what was staged before the request is still there: %v", ack)
	}
}

func TestNewestSessionWins(t *testing.T) {
	r := startReplica(t)
	old := r.session(t)
	receive(t, old)
	a := listener("listener/a", 1001)
	send(t, old, update([]*adminv1.Resource{a}))

	receive(t, r.session(t))
	_, err := old.Recv()
	if status.Code(err) != codes.Aborted {
		t.Fatalf("the older session ends with %v, want Aborted", err)
	}
	if _, hash := r.table.Serving(); hash != "" || r.applied.count() != 0 {
		t.Errorf("a stream that ended before its commit left a table: %q", hash)
	}
}

// A commit of a session that was superseded while it waited must not undo what the newer one committed.
func TestSupersededSessionCannotCommit(t *testing.T) {
	table := NewTable(&applied{}, 1<<20)
	old := table.begin()
	table.begin()
	_, err := table.commit(old, newStaged(), &adminv1.Commit{Generation: 1, TableHash: tableHash()})
	if !errors.Is(err, errSuperseded) {
		t.Errorf("got %v, want errSuperseded", err)
	}
}

func TestTooLargeTable(t *testing.T) {
	r := startReplica(t) // With 1 MiB.
	stream := r.session(t)
	receive(t, stream)
	big := hashed(&adminv1.Resource{Name: "route/big", Spec: &adminv1.Resource_Route{Route: &adminv1.Route{
		Rules: []*adminv1.Rule{{Name: strings.Repeat("x", 600<<10)}},
	}}})
	send(t, stream, update([]*adminv1.Resource{big}))
	send(t, stream, commit(1, tableHash(big)))
	receive(t, stream)
	other := proto.Clone(big).(*adminv1.Resource)
	other.Name = "route/other"
	send(t, stream, update([]*adminv1.Resource{other}))
	send(t, stream, commit(2, tableHash(big, other)))
	_, err := stream.Recv()
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a table of 1.2 MiB where 1 MiB is allowed ends with %v, want ResourceExhausted", err)
	}
	if generation, _ := r.table.Serving(); generation != 1 {
		t.Errorf("serves generation %d, want still 1", generation)
	}
}

func TestReports(t *testing.T) {
	r := startReplica(t, func(o *Options) { o.ReportInterval = time.Millisecond })
	stream := r.session(t)
	receive(t, stream)
	a := listener("listener/a", 1001)
	send(t, stream, update([]*adminv1.Resource{a}))
	send(t, stream, commit(3, tableHash(a)))
	want := &adminv1.Report{Generation: 3, TableHash: tableHash(a)}
	eventually(t, "a report says what serves", func() bool {
		report := receive(t, stream).GetReport()
		return report != nil && proto.Equal(report, want)
	})
}

func TestInventoryComesInChunks(t *testing.T) {
	table := NewTable(&applied{}, 64<<20)
	resources := Resources{}
	for i := range 2000 {
		resources = append(resources, listener(fmt.Sprintf("listener/%04d/%s", i, strings.Repeat("n", 900)), 80))
	}
	if _, err := table.Load(resources); err != nil {
		t.Fatal(err)
	}
	names := 0
	messages := table.inventory("test")
	for i, message := range messages {
		names += len(message.GetEntries())
		if size := proto.Size(message); size > adminv1.ChunkBytes {
			t.Errorf("message %d has %d bytes, more than ChunkBytes", i, size)
		}
		if more := i < len(messages)-1; message.GetMore() != more {
			t.Errorf("message %d of %d says more=%t", i, len(messages), message.GetMore())
		}
	}
	if names != len(resources) || len(messages) < 2 {
		t.Errorf("%d names in %d messages, want %d in several", names, len(messages), len(resources))
	}
}

func TestErrorsAreToldPerResource(t *testing.T) {
	r := startReplica(t)
	stream := r.session(t)
	receive(t, stream)
	good := listener("listener/good", 1001)
	bad := listener("listener/bad", 0)
	newer := hashed(&adminv1.Resource{Name: "listener/newer", Spec: &adminv1.Resource_Listener{
		Listener: &adminv1.Listener{Port: 1002, Protocol: adminv1.Protocol_PROTOCOL_HTTP},
	}})
	// Field 99, as an operator with a newer admin.proto would send it.
	newer.GetListener().ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, 0), 1))
	kind := &adminv1.Resource{Name: "policy/new-kind", Hash: "h"}
	resources := []*adminv1.Resource{good, bad, newer, kind}
	send(t, stream, update(resources))
	send(t, stream, commit(1, tableHash(resources...)))
	ack := receive(t, stream).GetAck()
	want := []*adminv1.ResourceError{
		{Name: "listener/bad", Code: adminv1.ErrorCode_ERROR_CODE_INVALID,
			Message: "port: 0 is not between 1 and 65535"},
		{Name: "listener/newer", Code: adminv1.ErrorCode_ERROR_CODE_UNSUPPORTED,
			Message: "Listener: this proxy does not know field 99"},
		{Name: "policy/new-kind", Code: adminv1.ErrorCode_ERROR_CODE_UNSUPPORTED,
			Message: "spec: this proxy does not know the kind of the resource"},
	}
	if diff := cmp.Diff(want, ack.GetErrors(), protocmp.Transform()); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if ack.GetTableHash() != tableHash(resources...) {
		t.Error("a bad resource is held like any other, or the next delta would be wrong")
	}
}

func TestAckStaysBelowTheMessageLimit(t *testing.T) {
	table := NewTable(&applied{}, 64<<20)
	resources := Resources{}
	for i := range 5000 {
		resources = append(resources, &adminv1.Resource{Name: fmt.Sprintf("%04d/%s", i, strings.Repeat("n", 1000))})
	}
	errors, err := table.Load(resources)
	if err != nil || len(errors) != len(resources) {
		t.Fatalf("%d errors and %v, want one per resource", len(errors), err)
	}
	encoded := resourceErrors(errors)
	if size := proto.Size(&adminv1.Ack{Errors: encoded}); size > 4<<20 {
		t.Errorf("the answer has %d bytes", size)
	}
	if encoded[0].GetMessage() == "" {
		t.Error("the first errors come with their text")
	}
}
