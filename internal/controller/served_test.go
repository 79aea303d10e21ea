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
	"context"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	discoveryv1 "k8s.io/api/discovery/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/proxy"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/test/fixture"
)

// serve runs a real proxy as the Gateway's replica.
func (w *world) serve(t *testing.T, gateway *gatewayv1.Gateway) *proxy.Proxy {
	t.Helper()
	certificate, key, bundle := fixture.ProxyFiles(t, w.authority(t), gateway.Namespace, gateway.Name, time.Now())
	directory := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	settings := bootstrap.Default()
	settings.Health.Address = "127.0.0.1:0"
	settings.Admin = &bootstrap.Admin{
		Address: "127.0.0.1:0", Identity: pki.ProxyIdentity(gateway.Namespace, gateway.Name), Operator: pki.OperatorIdentity,
		Certificate: file("tls.crt", certificate), Key: file("tls.key", key), CA: file("ca.crt", bundle),
	}
	p, err := proxy.Start(t.Context(), proxy.Config{Bootstrap: settings, BindAddress: func(uint16) string { return "127.0.0.1:0" }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	w.announce(t, gateway, p.AdminAddr())
	return p
}

// servedBy makes a server the only endpoint of a Service. The API server admits no endpoint on the loopback interface: the slice
// has another address, which operators divert.
func (w *world) servedBy(t *testing.T, slice *discoveryv1.EndpointSlice, server *httptest.Server) {
	t.Helper()
	address := w.dialer.address()
	slice.Endpoints[0].Addresses = []string{address}
	w.dialer.lead(net.JoinHostPort(address, strconv.Itoa(int(*slice.Ports[0].Port))), server.Listener.Addr().String())
}

// divert is an interceptor through which operators push: endpoints at the addresses of pods that do not run become those to which
// the dialer leads. Their hashes stay the operator's.
func (d *dialer) divert(
	ctx context.Context, desc *grpc.StreamDesc, connection *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := streamer(ctx, desc, connection, method, opts...)
	if err != nil {
		return nil, err
	}
	return &diverted{ClientStream: stream, dialer: d}, nil
}

type diverted struct {
	grpc.ClientStream
	dialer *dialer
}

// SendMsg sends a copy where something is diverted: what is pushed is shared.
func (s *diverted) SendMsg(message any) error {
	request, ok := message.(*adminv1.SyncRequest)
	if !ok || len(request.GetUpdate().GetUpserts()) == 0 {
		return s.ClientStream.SendMsg(message)
	}
	copied := proto.CloneOf(request)
	for _, resource := range copied.GetUpdate().GetUpserts() {
		for _, endpoint := range resource.GetEndpoints().GetEndpoints() {
			s.dialer.divertOne(endpoint)
		}
	}
	return s.ClientStream.SendMsg(copied)
}

func (d *dialer) divertOne(endpoint *adminv1.Endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	to, err := netip.ParseAddrPort(d.to[net.JoinHostPort(endpoint.GetAddress(), strconv.Itoa(int(endpoint.GetPort())))])
	if err != nil {
		return
	}
	endpoint.Address, endpoint.Port = to.Addr().String(), uint32(to.Port())
}
