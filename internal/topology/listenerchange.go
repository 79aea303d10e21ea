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

package topology

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// entrance is what listeners are decided from.
type entrance struct {
	resolver   *resolver
	gateway    *gatewayv1.Gateway
	namespaces map[string]*corev1.Namespace
}

// stage is the listeners of a Gateway as they are next.
type stage struct {
	listeners []Listener
	sets      []ListenerSet
	spans     map[types.NamespacedName]span
	// changed are the sets that came, changed or went, and concerns those on which routes depend that are others.
	changed, concerns map[types.NamespacedName]bool
	// closing are the listeners of these as they were served.
	closing []Listener
}

// restage decides about the listeners and sets as a change of these makes them; nil where none did. Those of sets that did not change
// are taken over, as far as they depend on no other listener, so that it costs little beside building all; and what depends on others
// is decided about all, as Build does. It reports false where something is decided in another way by now, although nothing changed.
func (t *Topology) restage(change *Change, d *Difference) (*stage, bool) {
	if len(change.ListenerSets)+len(change.GoneListenerSets) == 0 {
		return nil, true
	}
	r := t.entrance.resolver
	if change.Now.Before(r.now) || !t.Changes.IsZero() && !change.Now.Before(t.Changes) {
		return nil, false
	}
	r.now = change.Now
	if change.Secrets != nil {
		r.secrets = change.Secrets
	}
	next := &stage{changed: map[types.NamespacedName]bool{}, concerns: map[types.NamespacedName]bool{}}
	for _, key := range change.GoneListenerSets {
		next.changed[key] = true
	}
	for _, object := range change.ListenerSets {
		next.changed[types.NamespacedName{Namespace: object.Namespace, Name: object.Name}] = true
	}
	next.sets = t.merged(change.ListenerSets, next.changed)
	next.listeners = append(make([]Listener, 0, len(t.Listeners)+len(change.ListenerSets)), t.Own...)
	for i := range next.sets {
		set := &next.sets[i]
		if next.changed[set.Key()] {
			next.listeners = r.appendListeners(next.listeners, t.entrance.gateway, set)
			continue
		}
		next.listeners = append(next.listeners, set.Listeners...)
	}
	decideListeners(next.listeners, next.sets, len(t.Own))
	next.spans = spansOf(len(t.Own), next.sets)
	t.compare(next, d)
	return next, true
}

// merged are the sets without those that changed, and with those that came or are others, by precedence.
func (t *Topology) merged(objects []*gatewayv1.ListenerSet, changed map[types.NamespacedName]bool) []ListenerSet {
	sets := make([]ListenerSet, 0, len(t.ListenerSets)+len(objects))
	for i := range t.ListenerSets {
		if !changed[*t.ListenerSets[i].name] {
			sets = append(sets, t.ListenerSets[i])
		}
	}
	for _, object := range objects {
		if ListenerSetParent(object) != t.Gateway {
			continue
		}
		at, _ := slices.BinarySearchFunc(sets, object, func(s ListenerSet, o *gatewayv1.ListenerSet) int { return compareListenerSets(s.Object, o) })
		sets = slices.Insert(sets, at, newListenerSet(t.entrance.gateway, object, t.entrance.namespaces[object.Namespace]))
	}
	return sets
}

// names reports whether a route names one of the ListenerSets.
func (r *Route) names(sets map[types.NamespacedName]bool) bool {
	for i := range r.Parents {
		if set := r.Parents[i].set; set != nil && sets[*set] {
			return true
		}
	}
	return false
}

// RoutesOf gives the routes that name one of the ListenerSets.
func (t *Topology) RoutesOf(sets map[types.NamespacedName]bool) []RouteID {
	var found []RouteID
	for i := range t.Routes {
		if t.Routes[i].names(sets) {
			found = append(found, IDOf(t.Routes[i].Object))
		}
	}
	return found
}

// compare finds what is another than before.
func (t *Topology) compare(next *stage, d *Difference) {
	for key := range next.changed {
		next.concerns[key] = true
		t.closes(next, key, d)
	}
	for i := range next.sets {
		set := &next.sets[i]
		key := *set.name
		if next.changed[key] {
			d.ListenerSets = append(d.ListenerSets, key)
			opens(set, d)
			continue
		}
		before := t.builder.spans[key].set
		served, said := false, set.Accepted != before.Accepted
		for j := range set.Listeners {
			served = served || set.Listeners[j].Served() != before.Listeners[j].Served()
			said = said || !sameStanding(&set.Listeners[j], &before.Listeners[j])
		}
		if served {
			next.concerns[key] = true
			t.closes(next, key, d)
			opens(set, d)
		}
		if said {
			d.ListenerSets = append(d.ListenerSets, key)
		}
	}
	slices.SortFunc(d.Closed, compareListenerKeys)
}

// sameStanding reports whether the same is said about a listener among others.
func sameStanding(a, b *Listener) bool {
	return a.Accepted == b.Accepted && a.Conflicted == b.Conflicted && sameDecision(a.OverlappingTLSConfig, b.OverlappingTLSConfig)
}

// closes notes the listeners of a set that were served.
func (t *Topology) closes(next *stage, key types.NamespacedName, d *Difference) {
	set := t.builder.spans[key].set
	if set == nil {
		return
	}
	for i := range set.Listeners {
		if set.Listeners[i].Served() {
			next.closing = append(next.closing, set.Listeners[i])
			d.Closed = append(d.Closed, set.Listeners[i].ListenerKey)
		}
	}
}

// opens notes the listeners of a set that are served.
func opens(set *ListenerSet, d *Difference) {
	for i := range set.Listeners {
		if set.Listeners[i].Served() {
			d.Opened = append(d.Opened, set.Listeners[i].ListenerKey)
			d.Shown = append(d.Shown, set.Listeners[i].Certificates...)
		}
	}
}

// enterStage has the next listeners in the place of those before, with the routes that stay on them.
func (t *Topology) enterStage(next *stage) {
	if next == nil {
		return
	}
	for key, to := range next.spans {
		from, known := t.builder.spans[key]
		if !known || next.changed[key] {
			continue
		}
		for i := range to.to - to.from {
			next.listeners[to.from+i].AttachedRoutes = t.Listeners[from.from+i].AttachedRoutes
		}
	}
	own := len(t.Own)
	t.Listeners, t.ListenerSets, t.Own = next.listeners, next.sets, next.listeners[:own:own]
	t.builder.choose(t.Listeners, next.spans)
	t.Changes = t.entrance.resolver.nextChange(t)
}

// withdraw finds the certificates that nothing is served with any more.
func (t *Topology) withdraw(next *stage, d *Difference) {
	d.Shown = distinctCertificates(d.Shown)
	if next == nil || !slices.ContainsFunc(next.closing, func(l Listener) bool { return len(l.Certificates) > 0 }) {
		return
	}
	used := map[types.NamespacedName]bool{}
	for _, certificate := range t.Certificates() {
		used[certificate.Secret] = true
	}
	for i := range next.closing {
		for _, certificate := range next.closing[i].Certificates {
			if !used[certificate.Secret] {
				d.Withdrawn = appendNew(d.Withdrawn, certificate.Secret)
			}
		}
	}
	slices.SortFunc(d.Withdrawn, compareNames)
}

func compareNames(a, b types.NamespacedName) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func compareListenerKeys(a, b ListenerKey) int {
	return cmp.Or(compareNames(a.Set, b.Set), cmp.Compare(a.Name, b.Name))
}
