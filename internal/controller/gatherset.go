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

package controller

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// listenerSet adds a ListenerSet that has come, changed or gone, with what it refers to, and the routes that name it.
func (g *gathering) listenerSet(ctx context.Context, key types.NamespacedName) error {
	if g.whole {
		return nil
	}
	set, err := g.sets.get(ctx, key)
	if err != nil {
		return err
	}
	before := g.known.decided.FindListenerSet(key)
	if set == nil || topology.ListenerSetParent(set) != g.known.decided.Gateway {
		if before != nil {
			g.change.GoneListenerSets = append(g.change.GoneListenerSets, key)
			g.proves = g.proves || len(listenerSetSecrets(before.Object)) > 0
		}
		return nil
	}
	if before != nil && before.Object.UID == set.UID && before.Object.Generation == set.Generation && !g.shows[key] {
		return nil
	}
	secrets := listenerSetSecrets(set)
	g.change.ListenerSets = append(g.change.ListenerSets, set)
	g.proves = g.proves || len(secrets) > 0 || before != nil && len(listenerSetSecrets(before.Object)) > 0
	if err := g.namespace(ctx, g.known.input.Namespaces, set.Namespace); err != nil {
		return err
	}
	if setSelectsNamespaces(set) {
		if err := g.labels(ctx); err != nil {
			return err
		}
	}
	for _, namespace := range otherNamespaces(set.Namespace, secrets) {
		if err := g.granted(ctx, namespace); err != nil {
			return err
		}
	}
	routes, err := g.kinds.list(ctx, client.MatchingFields{routeByListenerSet: key.String()})
	if err != nil {
		return fmt.Errorf("routes of ListenerSet %s: %w", key, err)
	}
	for _, route := range routes {
		if err := g.route(ctx, route); err != nil {
			return err
		}
	}
	return nil
}

// setsOfSecret is how many ListenerSets may name Secrets that change, so that these are decided alone.
const setsOfSecret = 64

// withSecrets are the ListenerSets that changed, and those that name a Secret which did.
func (g *gathering) withSecrets(taken taken) []types.NamespacedName {
	if len(taken.secrets) == 0 {
		return taken.sets
	}
	keys, secrets := slices.Clone(taken.sets), make(map[types.NamespacedName]bool, len(taken.secrets))
	for _, key := range taken.secrets {
		secrets[key] = true
	}
	g.shows = map[types.NamespacedName]bool{}
	for i := range g.known.decided.ListenerSets {
		set := &g.known.decided.ListenerSets[i]
		if !slices.ContainsFunc(listenerSetSecrets(set.Object), func(secret types.NamespacedName) bool { return secrets[secret] }) {
			continue
		}
		if len(g.shows) == setsOfSecret {
			g.whole = true
			break
		}
		g.shows[set.Key()] = true
		keys = appendNew(keys, set.Key())
	}
	return keys
}

// left adds the routes that the topology has on ListenerSets which changed, and that do not name them any more: of what became of a route while
// its ListenerSet was away, nobody was told.
func (g *gathering) left(ctx context.Context) error {
	if g.whole || len(g.change.ListenerSets) == 0 {
		return nil
	}
	changed := make(map[types.NamespacedName]bool, len(g.change.ListenerSets))
	for _, set := range g.change.ListenerSets {
		changed[client.ObjectKeyFromObject(set)] = true
	}
	for _, id := range g.known.decided.RoutesOf(changed) {
		if err := g.named(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// labels has everything decided again where namespaces have other labels than are known: what became of those while nothing chose
// by them, nobody was told.
func (g *gathering) labels(ctx context.Context) error {
	for name, known := range g.known.input.Namespaces {
		found := map[string]*corev1.Namespace{}
		if err := g.namespace(ctx, found, name); err != nil {
			return err
		}
		g.whole = g.whole || found[name] == nil || !maps.Equal(found[name].Labels, known.Labels)
	}
	return nil
}

// certificates adds the Secrets that are named with the ListenerSets as they are now. Where one has changed that others name,
// everything is decided again.
func (g *gathering) certificates(ctx context.Context) error {
	if g.whole || !g.proves {
		return nil
	}
	changed := map[types.NamespacedName]bool{}
	for _, key := range g.change.GoneListenerSets {
		changed[key] = true
	}
	for _, set := range g.change.ListenerSets {
		changed[client.ObjectKeyFromObject(set)] = true
	}
	var sets []*gatewayv1.ListenerSet
	for i := range g.known.decided.ListenerSets {
		if set := &g.known.decided.ListenerSets[i]; !changed[set.Key()] {
			sets = append(sets, set.Object)
		}
	}
	gateway := g.known.input.Gateway
	others := namedSecrets(gateway, sets)
	found, err := g.secrets.of(ctx, g.known.decided.Gateway, namedSecrets(gateway, append(sets, g.change.ListenerSets...)))
	if err != nil {
		return err
	}
	for _, key := range others {
		g.whole = g.whole || !sameSecret(g.known.input.Secrets[key], found[key])
	}
	g.known.input.Secrets, g.change.Secrets = found, found
	return nil
}

func sameSecret(a, b *topology.TLSSecret) bool {
	if a == b || a == nil || b == nil {
		return a == b
	}
	return bytes.Equal(a.Chain, b.Chain) && bytes.Equal(a.Key, b.Key) && a.Fault == b.Fault && reflect.DeepEqual(a.Validity, b.Validity)
}
