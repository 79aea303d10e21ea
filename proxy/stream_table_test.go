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

package proxy

import (
	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// streamListener adds a listener of a protocol of streams.
func (b *table) streamListener(name string, protocol adminv1.Protocol, port uint32) *table {
	return b.add(&adminv1.Resource{Name: name, Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
		Port: port, Protocol: protocol,
	}}})
}

func (b *table) passthrough(name string, port uint32, hostname string) *table {
	return b.add(&adminv1.Resource{Name: name, Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
		Port: port, Protocol: adminv1.Protocol_PROTOCOL_TLS, Hostname: hostname, Passthrough: true,
	}}})
}

// streamBackend adds a backend of TCP with its endpoints, given as host:port, and gives it for what else it is to say.
func (b *table) streamBackend(name string, ready ...string) *table {
	b.backend(name, ready...)
	b.resources[len(b.resources)-1].GetBackend().Protocol = adminv1.BackendProtocol_BACKEND_PROTOCOL_TCP
	return b
}

// streamRoute adds a route of one listener; weights are as those of route.
func (b *table) streamRoute(name string, hostnames []string, listener string, weights ...string) *table {
	return b.add(&adminv1.Resource{Name: "streamroute/" + name, Spec: &adminv1.Resource_StreamRoute{StreamRoute: &adminv1.StreamRoute{
		Attachments: []*adminv1.Route_Attachment{{Listener: listener, Hostnames: hostnames}},
		Backends:    weighted(weights),
		Origin:      &adminv1.Origin{Kind: "TCPRoute", Namespace: "ns", Name: name},
	}}})
}
