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
	"cmp"
	"maps"
	"slices"

	"github.com/rauta-dev/rauta/proxy/config"
)

// patched is up to how many changes a snapshot is made from the one before; more may cost more than all at once.
const patched = 100

// snapshotWith is the snapshot of what the table is about to hold; nil where it has to be made of all that it then holds. Kinds of which
// nothing changed are those of the snapshot before.
func (t *Table) snapshotWith(next *nextTable) *config.Snapshot {
	if t.snapshot == nil || len(next.changes) > patched {
		return nil
	}
	changes := make([]contentChange, 0, len(next.changes))
	for _, name := range slices.Sorted(maps.Keys(next.changes)) {
		changes = append(changes, contentChange{name, t.held[name].content(), next.changes[name].content()})
	}
	s := *t.snapshot
	s.Listeners = placed(s.Listeners, changes, func(l *config.Listener) string { return l.Name })
	s.Routes = placed(s.Routes, changes, func(r *config.Route) string { return r.Name })
	s.StreamRoutes = placed(s.StreamRoutes, changes, func(r *config.StreamRoute) string { return r.Name })
	s.Backends = placed(s.Backends, changes, func(b *config.Backend) string { return b.Name })
	s.Endpoints = placed(s.Endpoints, changes, func(e *config.Endpoints) string { return e.Name })
	s.Certificates = placed(s.Certificates, changes, func(c *config.Certificate) string { return c.Name })
	s.Settings = placed(s.Settings, changes, func(s *config.Settings) string { return s.Name })
	s.Unknown = placed(s.Unknown, changes, func(u *config.Unknown) string { return u.Name })
	return &s
}

// contentChange is what was decoded under a name before and is after a commit; nil for nothing.
type contentChange struct {
	name          string
	before, after any
}

// placed is a list in order of names with those changes, which are in that order too, that are about what it lists. The list is replaced,
// not changed.
func placed[T any](list []*T, changes []contentChange, nameOf func(*T) string) []*T {
	var next []*T
	rest, concerned := list, false
	for _, c := range changes {
		_, was := c.before.(*T)
		item, is := c.after.(*T)
		if !was && !is {
			continue
		}
		if !concerned {
			next, concerned = make([]*T, 0, len(list)+len(changes)), true
		}
		at, found := slices.BinarySearchFunc(rest, c.name, func(item *T, name string) int { return cmp.Compare(nameOf(item), name) })
		next, rest = append(next, rest[:at]...), rest[at:]
		if found {
			rest = rest[1:]
		}
		if is {
			next = append(next, item)
		}
	}
	if !concerned {
		return list
	}
	if next = append(next, rest...); len(next) == 0 {
		return nil
	}
	return next
}

// snapshotOf sorts resources into a snapshot.
func snapshotOf(resources map[string]*held) *config.Snapshot {
	snapshot := &config.Snapshot{}
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		switch decoded := resources[name].decoded.(type) {
		case *config.Listener:
			snapshot.Listeners = append(snapshot.Listeners, decoded)
		case *config.Route:
			snapshot.Routes = append(snapshot.Routes, decoded)
		case *config.StreamRoute:
			snapshot.StreamRoutes = append(snapshot.StreamRoutes, decoded)
		case *config.Backend:
			snapshot.Backends = append(snapshot.Backends, decoded)
		case *config.Endpoints:
			snapshot.Endpoints = append(snapshot.Endpoints, decoded)
		case *config.Certificate:
			snapshot.Certificates = append(snapshot.Certificates, decoded)
		case *config.Settings:
			snapshot.Settings = append(snapshot.Settings, decoded)
		case *config.Unknown:
			snapshot.Unknown = append(snapshot.Unknown, decoded)
		}
	}
	return snapshot
}
