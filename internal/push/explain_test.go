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

package push

import (
	"context"
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestExplain(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		want   string
	}{
		"End":    {reason: "a stream that ended in order", err: io.EOF, want: "the replica ended the session"},
		"Own":    {reason: "what we say is said already", err: errors.New("waited 30s for an inventory"), want: "waited 30s for an inventory"},
		"Cancel": {reason: "nothing is lost that no layer is known for", err: context.Canceled, want: "context canceled"},
		"Status": {
			reason: "the proxy's own words", err: status.Error(codes.Unavailable, "the proxy is stopping"), want: "the proxy is stopping",
		},
		"Handshake": {
			reason: "the cause is ours, and stands within quotes of gRPC's",
			err: status.Error(codes.Unavailable,
				`connection error: desc = "transport: authentication handshake failed: reached proxy of a instead of b"`),
			want: "reached proxy of a instead of b",
		},
		"Dial": {
			reason: "the most usual one",
			err: status.Error(codes.Unavailable,
				`connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.1:19443: connect: connection refused"`),
			want: "dial tcp 10.0.0.1:19443: connect: connection refused",
		},
		"Preface": {
			reason: "in TLS 1.3 the server refuses a certificate after the client is content",
			err:    status.Error(codes.Unavailable, `connection error: desc = "error reading server preface: remote error: tls: certificate required"`),
			want:   "remote error: tls: certificate required",
		},
		"Sockets": {
			reason: "our port differs each time, and a status is written when its text differs",
			err:    status.Error(codes.Unavailable, "error reading from server: read tcp 10.0.0.2:40404->10.0.0.1:19443: read: connection reset by peer"),
			want:   "read: connection reset by peer",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := explain(tc.err); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}
