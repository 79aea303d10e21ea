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
	"reflect"
	"slices"

	"github.com/rauta-dev/rauta/proxy/config"
)

// patched is up to how many changes a snapshot is made from the one before; one by one, more would cost more than all at once.
const patched = 100

// snapshotWith is the snapshot of what the table is about to hold. Kinds of which nothing changed are those of the snapshot before.
func (t *Table) snapshotWith(next *nextTable) *config.Snapshot {
	if t.snapshot == nil || len(next.changed) > patched {
		return snapshotOf(next.held)
	}
	s := *t.snapshot
	for _, name := range next.changed {
		before, after := t.held[name].content(), next.held[name].content()
		if after == nil || reflect.TypeOf(before) != reflect.TypeOf(after) {
			place(&s, name, before, nil)
		}
		place(&s, name, nil, after)
	}
	return &s
}

// place puts a decoded resource into the snapshot, or takes one out. The lists of the snapshot are replaced, not changed.
func place(s *config.Snapshot, name string, before, after any) {
	switch pick(before, after).(type) {
	case *config.Listener:
		s.Listeners = placed(s.Listeners, name, after, func(l *config.Listener) string { return l.Name })
	case *config.Route:
		s.Routes = placed(s.Routes, name, after, func(r *config.Route) string { return r.Name })
	case *config.StreamRoute:
		s.StreamRoutes = placed(s.StreamRoutes, name, after, func(r *config.StreamRoute) string { return r.Name })
	case *config.Backend:
		s.Backends = placed(s.Backends, name, after, func(b *config.Backend) string { return b.Name })
	case *config.Endpoints:
		s.Endpoints = placed(s.Endpoints, name, after, func(e *config.Endpoints) string { return e.Name })
	case *config.Certificate:
		s.Certificates = placed(s.Certificates, name, after, func(c *config.Certificate) string { return c.Name })
	case *config.Settings:
		s.Settings = placed(s.Settings, name, after, func(s *config.Settings) string { return s.Name })
	case *config.Unknown:
		s.Unknown = placed(s.Unknown, name, after, func(u *config.Unknown) string { return u.Name })
	}
}

func pick(before, after any) any {
	if after != nil {
		return after
	}
	return before
}

// placed is a list in order of names with one more, or without the one of that name.
func placed[T any](list []*T, name string, after any, nameOf func(*T) string) []*T {
	at, found := slices.BinarySearchFunc(list, name, func(item *T, name string) int { return cmp.Compare(nameOf(item), name) })
	next := make([]*T, 0, len(list)+1)
	next = append(next, list[:at]...)
	if item, is := after.(*T); is {
		next = append(next, item)
	}
	if found {
		at++
	}
	if next = append(next, list[at:]...); len(next) == 0 {
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
