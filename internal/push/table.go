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
// Tables are compared by walking two of them side by side, which costs microseconds for thousands of entries; the sum of a
// table, of which its hash is made, costs more, and is carried on from the table before.
type table struct {
	entries    []entry
	unsendable []ResourceError
	sum        adminv1.TableSum
	hash       func() string
}

// newTable makes a table of entries whose sum is known.
func newTable(entries []entry, sum adminv1.TableSum, unsendable []ResourceError) *table {
	t := &table{entries: entries, unsendable: unsendable, sum: sum}
	t.hash = sync.OnceValue(func() string { return t.sum.Hash() })
	return t
}

func sumOf(entries []entry) adminv1.TableSum {
	var sum adminv1.TableSum
	for i := range entries {
		sum.Add(entries[i].name, entries[i].hash)
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
	var old []entry
	var sum adminv1.TableSum
	if previous != nil {
		old, sum = previous.entries, previous.sum
	}
	drop := func() {
		sum.Remove(old[0].name, old[0].hash)
		old = old[1:]
	}
	entries := make([]entry, 0, len(sorted))
	var unsendable []ResourceError
	for _, resource := range sorted {
		for len(old) > 0 && old[0].name < resource.GetName() {
			drop()
		}
		if len(old) > 0 && old[0].name == resource.GetName() && old[0].hash == resource.GetHash() {
			entries = append(entries, old[0])
			old = old[1:]
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
	for len(old) > 0 {
		drop()
	}
	return newTable(entries, sum, unsendable)
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
	if _, found := t.find(resource.GetName()); !found {
		return t, false
	}
	return t.with([]*adminv1.Resource{resource}, nil)
}

func (t *table) find(name string) (int, bool) {
	return slices.BinarySearchFunc(t.entries, name, func(e entry, name string) int { return cmp.Compare(e.name, name) })
}

// with is the table with some resources, new or instead of those of their names, and without others, and whether that makes a
// difference. Of what is named twice the last counts, and removals come first. Entries that stay are copied and not looked at.
func (t *table) with(upserts []*adminv1.Resource, removals []string) (*table, bool) {
	// change is what a name is to be: an entry, or nil for none.
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
	entries, sum := make([]entry, 0, len(t.entries)+len(changes)), t.sum
	rest, different := t.entries, false
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		at, found := slices.BinarySearchFunc(rest, name, func(e entry, name string) int { return cmp.Compare(e.name, name) })
		to := changes[name]
		entries = append(entries, rest[:at]...)
		rest = rest[at:]
		if found && to != nil && to.hash == rest[0].hash {
			to = &rest[0]
		} else if found || to != nil {
			different = true
		}
		if found {
			sum.Remove(rest[0].name, rest[0].hash)
			rest = rest[1:]
		}
		if to != nil {
			sum.Add(to.name, to.hash)
			entries = append(entries, *to)
		}
	}
	if !different && slices.Equal(unsendable, t.unsendable) {
		return t, false
	}
	return newTable(append(entries, rest...), sum, unsendable), true
}

// equal tells whether two tables have the same names with the same hashes, and leave out the same.
func (t *table) equal(other *table) bool {
	return slices.EqualFunc(t.entries, other.entries, func(a, b entry) bool { return a.name == b.name && a.hash == b.hash }) &&
		slices.Equal(t.unsendable, other.unsendable)
}

// difference is what leads from one table to another: the entries of the other that are new or changed, and the names
// that it no longer has. Both are in order of their names.
func difference(from, to *table) (upserts []entry, removals []string) {
	held, wanted := from.entries, to.entries
	for len(held) > 0 && len(wanted) > 0 {
		switch cmp.Compare(held[0].name, wanted[0].name) {
		case -1:
			removals = append(removals, held[0].name)
			held = held[1:]
		case 1:
			upserts = append(upserts, wanted[0])
			wanted = wanted[1:]
		default:
			if held[0].hash != wanted[0].hash {
				upserts = append(upserts, wanted[0])
			}
			held, wanted = held[1:], wanted[1:]
		}
	}
	for _, gone := range held {
		removals = append(removals, gone.name)
	}
	return append(upserts, wanted...), removals
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
