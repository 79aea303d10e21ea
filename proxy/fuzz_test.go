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
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/admin"
	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/datagram"
	"github.com/rauta-dev/rauta/proxy/engine"
	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/stream"
	"github.com/rauta-dev/rauta/proxy/telemetry"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// nowhere stands for sockets and endpoints that are never reached.
type nowhere struct{}

func (nowhere) Open([]config.Port) map[uint16]error { return nil }
func (nowhere) Serve()                              {}
func (nowhere) Retain([]uint16)                     {}
func (nowhere) Close()                              {}

func (nowhere) RoundTrip(
	context.Context, *message.Request, func(int, *message.Fields) error,
) (*message.Response, error) {
	return nil, &message.ConnectError{Err: context.Canceled}
}

// noDatagrams stands for ports of UDP.
type noDatagrams struct{}

func (noDatagrams) Apply([]datagram.Port) map[uint16]error { return nil }

// streamTable keeps the table of streams.
type streamTable struct{ current *stream.Table }

func (s *streamTable) Swap(table *stream.Table) { s.current = table }

// silent is a client that takes any answer.
type silent struct{ message.Reply }

func (silent) Respond(*message.Response) error { return nil }

// FuzzTable shows that no table, whatever is in it, stops a proxy: it is applied, and a request is answered.
func FuzzTable(f *testing.F) {
	good := new(table).listener("listener/http", 80, "").backend("x", "10.0.0.1:80").
		route("r", "listener/http", "/", "x=3", "=1", "not-there")
	streams := new(table).passthrough("listener/tls", 443, "*.a.test").
		streamListener("listener/tcp", adminv1.Protocol_PROTOCOL_TCP, 5432).streamBackend("x", "10.0.0.1:80").
		streamRoute("s", []string{"b.a.test"}, "listener/tls", "x=3", "=1", "not-there")
	for _, resources := range []admin.Resources{nil, good.resources, good.resources[:2], streams.resources} {
		encoded, err := proto.Marshal(&adminv1.Resources{Resources: resources})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded, "h", "/")
	}
	f.Fuzz(func(t *testing.T, encoded []byte, host, path string) {
		decoded := &adminv1.Resources{}
		if proto.Unmarshal(encoded, decoded) != nil {
			return
		}
		requests := &telemetry.Requests{}
		handler := forward.New(requests)
		pool := upstream.NewPool(upstream.Options{Connect: func(upstream.Target) upstream.Transport { return nowhere{} }, ProbePause: time.Hour})
		streams := &streamTable{}
		tables := admin.NewTable(engine.New(engine.Options{
			Forwarder: handler, Streams: streams, Sockets: nowhere{}, Datagrams: noDatagrams{}, Pool: pool, Tune: func(config.Limits) {},
		}), 1<<20)
		if _, err := tables.Load(decoded.GetResources()); err != nil {
			return // A name twice.
		}
		request := &message.Request{Method: "GET", Authority: host, Path: path}
		forward.Port{Handler: handler, Number: 80}.Handle(context.Background(), request, silent{})
		if backend, reason := streams.current.Choose("listener/tls", host); (backend == nil) == (reason == stream.ReasonOK) {
			t.Errorf("a stream goes to %v, %s", backend, reason)
		}
		if len(requests.Counts()) != 1 {
			t.Errorf("the request was counted as %v", requests.Counts())
		}
	})
}
