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

package push

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

const (
	// maxResourceBytes bounds the encoded size of one resource: what a message takes, less what surrounds it there.
	maxResourceBytes = maxMessageBytes - 1<<10
	// maxNameBytes is the protocol's bound on names.
	maxNameBytes = 1024
)

// entry is one resource of a table. Of what a replica holds only name and hash are known.
type entry struct {
	name, hash string
	// resource and its encoded size in bytes; nil and 0 when only name and hash are known.
	resource *adminv1.Resource
	size     int
}

// table is a set of entries in order of their names. It is immutable, so that all sessions of a Gateway share one.
//
// Tables are compared by walking two of them side by side, past the pages that they share; the sum of a table, of which its hash is
// made, costs more, and is carried on from the table before.
type table struct {
	entries    pages
	unsendable []ResourceError
	sum        adminv1.TableSum
	hash       func() string
}

// newTable makes a table of entries whose sum is known.
func newTable(entries pages, sum adminv1.TableSum, unsendable []ResourceError) *table {
	t := &table{entries: entries, unsendable: unsendable, sum: sum}
	t.hash = sync.OnceValue(func() string { return t.sum.Hash() })
	return t
}

func sumOf(entries pages) adminv1.TableSum {
	var sum adminv1.TableSum
	for e := range entries.all() {
		sum.Add(e.name, e.hash)
	}
	return sum
}

// tableOf makes a table of resources. Entries of the previous table (which may be nil) with the same name and hash are
// taken over, so that only what is new has to be measured.
func tableOf(resources []*adminv1.Resource, previous *table) *table {
	byName := func(a, b *adminv1.Resource) int { return cmp.Compare(a.GetName(), b.GetName()) }
	sorted := slices.Clone(resources)
	if !slices.IsSortedFunc(sorted, byName) {
		slices.SortStableFunc(sorted, byName)
	}
	sorted = slices.CompactFunc(sorted, func(a, b *adminv1.Resource) bool { return a.GetName() == b.GetName() })
	var old walk
	var sum adminv1.TableSum
	if previous != nil {
		old.pages, sum = previous.entries, previous.sum
	}
	drop := func(gone *entry) {
		sum.Remove(gone.name, gone.hash)
		old.step()
	}
	entries := make([]entry, 0, len(sorted))
	var unsendable []ResourceError
	for _, resource := range sorted {
		held := old.entry()
		for held != nil && held.name < resource.GetName() {
			drop(held)
			held = old.entry()
		}
		if held != nil && held.name == resource.GetName() && held.hash == resource.GetHash() {
			entries = append(entries, *held)
			old.step()
			continue
		}
		made, problem := entryOf(resource)
		if problem != nil {
			unsendable = append(unsendable, *problem)
			continue
		}
		sum.Add(made.name, made.hash)
		entries = append(entries, made)
	}
	for held := old.entry(); held != nil; held = old.entry() {
		drop(held)
	}
	return newTable(pagesOf(entries), sum, unsendable)
}

// entryOf measures a resource, and says what keeps it from being sent.
func entryOf(resource *adminv1.Resource) (entry, *ResourceError) {
	invalid := func(format string, args ...any) (entry, *ResourceError) {
		return entry{}, &ResourceError{
			Name: resource.GetName(), Code: adminv1.ErrorCode_ERROR_CODE_INVALID, Message: fmt.Sprintf(format, args...),
		}
	}
	if length := len(resource.GetName()); length == 0 || length > maxNameBytes {
		return invalid("name of %d bytes: it has to have 1 to %d", length, maxNameBytes)
	}
	if resource.GetHash() == "" {
		hash, err := adminv1.Hash(resource)
		if err != nil {
			return invalid("%v", err)
		}
		resource.Hash = hash
	}
	// Encoding finds what measuring does not: a string that is not UTF-8 would end the stream for everyone.
	encoded, err := proto.Marshal(resource)
	if err != nil {
		return invalid("encode: %v", err)
	}
	if len(encoded) > maxResourceBytes {
		return invalid("%d bytes: at most %d can be sent", len(encoded), maxResourceBytes)
	}
	return entry{name: resource.GetName(), hash: resource.GetHash(), resource: resource, size: len(encoded)}, nil
}

// replace is the table with another resource under a name that it holds, and whether that makes a difference.
func (t *table) replace(resource *adminv1.Resource) (*table, bool) {
	if t.entries.find(resource.GetName()) == nil {
		return t, false
	}
	return t.with([]*adminv1.Resource{resource}, nil)
}

// with is the table with some resources, new or instead of those of their names, and without others, and whether that makes a
// difference. Of what is named twice the last counts, and removals come first.
func (t *table) with(upserts []*adminv1.Resource, removals []string) (*table, bool) {
	changes := map[string]*entry{}
	unsendable := t.unsendable
	settle := func(name string, to *entry) {
		changes[name] = to
		if slices.ContainsFunc(unsendable, func(e ResourceError) bool { return e.Name == name }) {
			unsendable = slices.DeleteFunc(slices.Clone(unsendable), func(e ResourceError) bool { return e.Name == name })
		}
	}
	for _, name := range removals {
		settle(name, nil)
	}
	for _, resource := range upserts {
		made, problem := entryOf(resource)
		if problem != nil {
			settle(resource.GetName(), nil)
			unsendable = withError(unsendable, *problem)
			continue
		}
		settle(made.name, &made)
	}
	sum, ordered := t.sum, make([]change, 0, len(changes))
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		before, to := t.entries.find(name), changes[name]
		if before == nil && to == nil || before != nil && to != nil && before.hash == to.hash {
			continue
		}
		if before != nil {
			sum.Remove(before.name, before.hash)
		}
		if to != nil {
			sum.Add(to.name, to.hash)
		}
		ordered = append(ordered, change{name, to})
	}
	if len(ordered) == 0 && slices.Equal(unsendable, t.unsendable) {
		return t, false
	}
	return newTable(t.entries.with(ordered), sum, unsendable), true
}

// equal tells whether two tables have the same names with the same hashes, and leave out the same.
func (t *table) equal(other *table) bool {
	return t.sum == other.sum && slices.Equal(t.unsendable, other.unsendable)
}

// difference is what leads from one table to another: the entries of the other that are new or changed, and the names
// that it no longer has. Both are in order of their names.
func difference(from, to *table) (upserts []entry, removals []string) {
	held, wanted := walk{pages: from.entries}, walk{pages: to.entries}
	for {
		held.skip(&wanted)
		before, after := held.entry(), wanted.entry()
		switch {
		case before == nil && after == nil:
			return upserts, removals
		case after == nil || before != nil && before.name < after.name:
			removals = append(removals, before.name)
			held.step()
		case before == nil || after.name < before.name:
			upserts = append(upserts, *after)
			wanted.step()
		default:
			if before.hash != after.hash {
				upserts = append(upserts, *after)
			}
			held.step()
			wanted.step()
		}
	}
}

// withError is a copy of a list of errors, in order of names, with one more.
func withError(list []ResourceError, one ResourceError) []ResourceError {
	return mergeErrors([][]ResourceError{list, {one}})
}

// mergeErrors joins lists of errors into one in order of names; of several about one resource the first is kept.
func mergeErrors(lists [][]ResourceError) []ResourceError {
	merged := slices.Concat(lists...)
	slices.SortStableFunc(merged, func(a, b ResourceError) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(merged, func(a, b ResourceError) bool { return a.Name == b.Name })
}
