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

// Package echo is the gRPC service of the backends of the chaos tests: a stream on which every number comes back.
package echo

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	service = "rauta.chaos.Echo"
	method  = "/" + service + "/Numbers"
)

var numbers = grpc.StreamDesc{StreamName: "Numbers", ServerStreams: true, ClientStreams: true}

// Register adds the service to a server.
func Register(server *grpc.Server) {
	desc := grpc.StreamDesc{StreamName: numbers.StreamName, ServerStreams: true, ClientStreams: true, Handler: serve}
	server.RegisterService(&grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{desc}}, nil)
}

func serve(_ any, stream grpc.ServerStream) error {
	for {
		number := &wrapperspb.Int64Value{}
		if err := stream.RecvMsg(number); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := stream.SendMsg(number); err != nil {
			return err
		}
	}
}

// Stream is the client's end.
type Stream struct{ stream grpc.ClientStream }

// Open opens a stream, which ends with the context.
func Open(ctx context.Context, connection *grpc.ClientConn) (*Stream, error) {
	stream, err := connection.NewStream(ctx, &numbers, method)
	if err != nil {
		return nil, fmt.Errorf("open the stream: %w", err)
	}
	return &Stream{stream: stream}, nil
}

// Exchange sends a number and waits for it to come back.
func (s *Stream) Exchange(number int64) error {
	if err := s.stream.SendMsg(wrapperspb.Int64(number)); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("send %d: %w", number, err)
	}
	// Of a stream that ended, receiving says why.
	got := &wrapperspb.Int64Value{}
	if err := s.stream.RecvMsg(got); err != nil {
		return fmt.Errorf("wait for %d: %w", number, err)
	}
	if got.GetValue() != number {
		return fmt.Errorf("%d came back for %d", got.GetValue(), number)
	}
	return nil
}
