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
	"cmp"
	"context"
	"hash/maphash"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/translate"
)

// pusher is what the controllers need of push.Pusher.
type pusher interface {
	Set(key push.Key, resources []*adminv1.Resource)
	Change(key push.Key, upserts []*adminv1.Resource, removals []string)
	SetEndpoints(key push.Key, resource *adminv1.Resource)
	SetReplicas(key push.Key, replicas []push.Replica)
	Forget(key push.Key)
	State(key push.Key) push.State
}

// handover gives tables, endpoints and replicas to push. Two reconcilers do so for the same Gateway: the Gateway's, with
// everything, and the endpoints', with one Service. Each reads EndpointSlices from the cache and hands them over under
// one lock per Gateway; as the cache only moves forward, whoever comes later has read what is not older.
type handover struct {
	loader *loader
	push   pusher

	seed  maphash.Seed
	locks [64]sync.Mutex

	mu   sync.Mutex
	held map[types.NamespacedName]*held
}

// held is what is kept of one Gateway.
type held struct {
	// adminPort of its proxies; 0 until the Gateway was rendered. It is guarded by handover.mu.
	adminPort int32
	// routes that were translated, so that one changed route costs one. They are guarded by the Gateway's lock.
	routes translate.Memo
	// parameters that were good last: what becomes wrong with them leaves the proxies as they are. They are guarded likewise.
	parameters *v1alpha1.GatewayParametersSpec
}

func newHandover(loader *loader, push pusher) *handover {
	return &handover{
		loader: loader, push: push,
		seed: maphash.MakeSeed(), held: map[types.NamespacedName]*held{},
	}
}

// table hands over everything that a Gateway's proxies are to serve. Without parameters it is served with those before.
func (h *handover) table(ctx context.Context, decided *topology.Topology, parameters *v1alpha1.GatewayParametersSpec) error {
	defer h.lock(decided.Gateway)()
	source, err := h.loader.slices(ctx, decided.Backends())
	if err != nil {
		return err
	}
	held := h.of(decided.Gateway)
	if parameters != nil {
		held.parameters = parameters
	}
	resources, err := held.routes.Resources(decided, source, translate.WithParameters(held.parameters))
	if err != nil {
		return err
	}
	h.push.Set(push.Key(decided.Gateway), resources)
	return nil
}

// change hands over what a change of routes makes of the table that was handed over.
func (h *handover) change(ctx context.Context, decided *topology.Topology, difference *topology.Difference) error {
	defer h.lock(decided.Gateway)()
	source, err := h.loader.slices(ctx, difference.Added)
	if err != nil {
		return err
	}
	held := h.of(decided.Gateway)
	upserts, removals, err := held.routes.Changes(decided, difference, source, translate.WithParameters(held.parameters))
	if err != nil {
		return err
	}
	h.push.Change(push.Key(decided.Gateway), upserts, removals)
	return nil
}

// endpoints hands over those of one Service, for each of its TCP and UDP ports. Where the Gateway's table sends nothing to a port,
// push ignores it.
func (h *handover) endpoints(ctx context.Context, gateway types.NamespacedName, service *corev1.Service) error {
	defer h.lock(gateway)()
	found, err := h.loader.slicesOf(ctx, types.NamespacedName{Namespace: service.Namespace, Name: service.Name})
	if err != nil {
		return err
	}
	for _, port := range service.Spec.Ports {
		protocol := cmp.Or(port.Protocol, corev1.ProtocolTCP)
		if protocol != corev1.ProtocolSCTP {
			h.push.SetEndpoints(push.Key(gateway), translate.EndpointsOf(service, port.Port, protocol, found))
		}
	}
	return nil
}

// replicas hands over the pods behind a proxy's own Service, ready or not: a replica becomes ready by being given its
// table. Before the Gateway was rendered the admin port is not known; its reconcile then does this.
func (h *handover) replicas(ctx context.Context, gateway, service types.NamespacedName) error {
	defer h.lock(gateway)()
	port := h.adminPort(gateway)
	if port == 0 {
		return nil
	}
	found, err := h.loader.slicesOf(ctx, service)
	if err != nil {
		return err
	}
	h.push.SetReplicas(push.Key(gateway), replicasOf(found, port))
	return nil
}

// adminPort of a Gateway's proxies; 0 where it is not known, or the Gateway is not ours.
func (h *handover) adminPort(gateway types.NamespacedName) int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if held := h.held[gateway]; held != nil {
		return held.adminPort
	}
	return 0
}

func (h *handover) setAdminPort(gateway types.NamespacedName, port int32) {
	held := h.of(gateway)
	h.mu.Lock()
	defer h.mu.Unlock()
	held.adminPort = port
}

func (h *handover) of(gateway types.NamespacedName) *held {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[gateway] == nil {
		h.held[gateway] = &held{}
	}
	return h.held[gateway]
}

// forget ends the sessions of a Gateway.
func (h *handover) forget(gateway types.NamespacedName) {
	defer h.lock(gateway)()
	h.mu.Lock()
	delete(h.held, gateway)
	h.mu.Unlock()
	h.push.Forget(push.Key(gateway))
}

// lock locks a Gateway and returns how to unlock it. Gateways may share a lock, which costs time and nothing else.
func (h *handover) lock(gateway types.NamespacedName) func() {
	lock := &h.locks[maphash.Comparable(h.seed, gateway)%uint64(len(h.locks))]
	lock.Lock()
	return lock.Unlock
}

// replicasOf are the pods that slices list, each once, by their UIDs. A pod of two address families is in two slices, of
// which the one that comes first by name is taken.
func replicasOf(found []*discoveryv1.EndpointSlice, adminPort int32) []push.Replica {
	found = slices.Clone(found)
	slices.SortFunc(found, func(a, b *discoveryv1.EndpointSlice) int { return strings.Compare(a.Name, b.Name) })
	byID := map[string]push.Replica{}
	for _, slice := range found {
		for i := range slice.Endpoints {
			endpoint := &slice.Endpoints[i]
			if endpoint.TargetRef == nil || endpoint.TargetRef.UID == "" || len(endpoint.Addresses) == 0 {
				continue
			}
			id := string(endpoint.TargetRef.UID)
			if _, seen := byID[id]; seen {
				continue
			}
			byID[id] = push.Replica{
				ID:      id,
				Address: net.JoinHostPort(endpoint.Addresses[0], strconv.Itoa(int(adminPort))),
				Ready:   endpoint.Conditions.Ready != nil && *endpoint.Conditions.Ready,
			}
		}
	}
	replicas := make([]push.Replica, 0, len(byID))
	for _, replica := range byID {
		replicas = append(replicas, replica)
	}
	slices.SortFunc(replicas, func(a, b push.Replica) int { return strings.Compare(a.ID, b.ID) })
	return replicas
}
