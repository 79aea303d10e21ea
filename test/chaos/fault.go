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

package main

import (
	"context"
	"time"
)

// class is what a fault is done to.
type class string

const (
	changes      class = "change"
	proxies      class = "proxy"
	endpoints    class = "endpoint"
	operatorsOwn class = "operator"
	controlPlane class = "control plane"
	identities   class = "identity"
)

// fault is one thing that is done to the world, and undone where it would last.
type fault struct {
	class class
	name  string
	// expects is what clients may see, for the report; what they did see is judged by what do notes in the incident.
	expects string
	// grace is how long after the fault what it hit may still fail.
	grace time.Duration
	do    func(ctx context.Context, w *world, i *incident) error
}

const (
	nothing     = "no failed request, no cut session"
	drained     = "no failed request; sessions end with the replicas that are replaced, after their drain"
	lateOnly    = "no failed request, no cut session; datagrams may be lost that are sent to a replica that is not ready"
	relayedOnly = "no failed request but what is under way on the endpoint, no cut session; what is relayed as it is may be lost with it"
	onThatOnly  = "only what is sent to that replica itself fails"

	// restart is how long a container takes to be back that was killed, which the kubelet lets wait when it was killed before.
	restart = 30 * time.Second
	// catchUp is how long connections need that were cut off: retransmissions come after ever longer pauses.
	catchUp = 20 * time.Second
	// pause is how long a process is stopped or cut off that is expected to go on afterwards.
	pause = 5 * time.Second
)

// faults are all of them; docs/chaos.md lists the same.
func faults() []fault {
	return []fault{
		{changes, "route changed", nothing, 0, routeChanged},
		{changes, "route added and removed", nothing, 0, routeAdded},
		{changes, "backend rolled out", nothing, 0, backendRolledOut},
		{changes, "endpoints scaled 3 to 1 to 3", nothing, 0, endpointsScaled},
		{changes, "certificate replaced", nothing, 0, certificateReplaced},
		{changes, "parameters pushed", nothing, 0, parametersPushed},
		{changes, "parameters that roll pods", drained, 0, parametersRolled},
		{changes, "listener added and removed", nothing, 0, listenerAdded},
		{changes, "UDPRoute moved and moved back", nothing, 0, udpRouteMoved},
		{changes, "TLSRoute moved and moved back", nothing, 0, tlsRouteMoved},
		{changes, "listener of a ListenerSet added and removed", nothing, 0, setChanged},
		{proxies, "proxy killed", onThatOnly, restart, proxyKilled},
		{proxies, "proxy pod deleted", drained, 0, proxyDeleted},
		{proxies, "proxy paused", lateOnly, pause, proxyPaused},
		{proxies, "proxy cut off from the operators", nothing, 0, proxyCutFromOperators},
		{proxies, "proxy cut off wholly", onThatOnly, catchUp, proxyCutOff},
		{endpoints, "endpoint killed while the API server is paused", relayedOnly, pause, endpointKilled},
		{endpoints, "endpoint cut off while the API server is paused", relayedOnly, catchUp, endpointCutOff},
		{operatorsOwn, "leader killed", nothing, 0, leaderKilled},
		{operatorsOwn, "leader paused beyond its lease", nothing, 0, leaderPaused},
		{operatorsOwn, "leader cut off from the API server", nothing, 0, leaderCutOff},
		{operatorsOwn, "leader killed in a rollout", drained, 0, leaderKilledInRollout},
		{operatorsOwn, "proxy killed without operators", onThatOnly, restart, killedWithoutOperators},
		{operatorsOwn, "pod replaced without operators", drained, 0, replacedWithoutOperators},
		{operatorsOwn, "operator that wants another proxy image", drained, 0, imageChanged},
		{controlPlane, "API server killed", nothing, 0, componentKilled("kube-apiserver")},
		{controlPlane, "API server paused", nothing, 0, componentPaused("kube-apiserver")},
		{controlPlane, "etcd killed", nothing, 0, componentKilled("etcd")},
		{controlPlane, "etcd paused", nothing, 0, componentPaused("etcd")},
		{identities, "identities run down", nothing, 0, identitiesRunDown},
	}
}
