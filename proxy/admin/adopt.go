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
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

// offered is a table that another replica gives, or is given.
type offered struct {
	generation uint64
	hash       string
	resources  map[string]*held
	bytes      int
}

// offer is the table that serves, for another replica; false when there is none, or none that an operator made.
func (t *Table) offer() (offered, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return offered{generation: t.generation, hash: t.hash, resources: t.lend(), bytes: t.bytes}, t.generation > 0
}

// wanting says whether another replica's table would be of use now: no operator has spoken, nor is about to. over means that
// one has, and that it never will be again.
func (t *Table) wanting() (wanted, over bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.told && t.open == 0, t.told
}

// adopt makes another replica's table the one that serves, and gives what of it does not. It is false when the table is
// not of use any more: an operator's word always wins, and a table is replaced by none that is not newer.
func (t *Table) adopt(o offered) ([]config.Error, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told || t.open > 0 || o.generation <= t.generation {
		return nil, false
	}
	t.errors = t.applier.Apply(snapshotOf(o.resources))
	t.sum, t.snapshot = nil, nil
	// Whoever took it may look at it still.
	t.held, t.lent = o.resources, true
	t.hash, t.generation, t.bytes = o.hash, o.generation, o.bytes
	t.memory.settle(o.bytes)
	t.changed()
	return t.errors, true
}

// take adds resources as another replica encoded them.
func (o *offered) take(encoded [][]byte, maxBytes int) error {
	for _, one := range encoded {
		if o.bytes += len(one); o.bytes > maxBytes {
			return errTooLarge
		}
		resource := &adminv1.Resource{}
		if err := proto.Unmarshal(one, resource); err != nil {
			return fmt.Errorf("decode resource %d: %w", len(o.resources), err)
		}
		held, err := hold(resource, resource.GetHash())
		if err != nil {
			return err
		}
		o.resources[resource.GetName()] = held
	}
	return nil
}

// whole says whether what was taken is the table that was named.
func (o *offered) whole() error {
	if hash := adminv1.TableHash(hashes(o.resources)); hash != o.hash {
		return fmt.Errorf("its resources have the hash %s, and not %s", hash, o.hash)
	}
	return nil
}

// messages gives the table piece by piece: which it is, and then its resources, at most adminv1.ChunkBytes at once.
func (o *offered) messages(send func(*adminv1.TableResponse) error) error {
	if err := send(&adminv1.TableResponse{Generation: o.generation, TableHash: o.hash}); err != nil {
		return err
	}
	next, size := &adminv1.TableResponse{}, 0
	for _, name := range slices.Sorted(maps.Keys(o.resources)) {
		encoded := o.resources[name].encoded
		if size+len(encoded) > adminv1.ChunkBytes && size > 0 {
			if err := send(next); err != nil {
				return err
			}
			next, size = &adminv1.TableResponse{}, 0
		}
		next.Resources = append(next.Resources, encoded)
		size += len(encoded)
	}
	if size == 0 {
		return nil
	}
	return send(next)
}
