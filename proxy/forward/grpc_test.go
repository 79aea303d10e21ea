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

package forward

import (
	"testing"

	"github.com/rauta-dev/rauta/proxy/message"
)

func TestIsGRPC(t *testing.T) {
	tests := map[string]struct {
		reason, contentType string
		want                bool
	}{
		"plain":        {"the content type of gRPC", "application/grpc", true},
		"subtype":      {"a codec may be named", "application/grpc+proto", true},
		"parameter":    {"parameters may follow", "application/grpc;charset=utf-8", true},
		"other case":   {"media types are compared without regard to case", "Application/GRPC", true},
		"gRPC-Web":     {"gRPC-Web carries its status in another way", "application/grpc-web", false},
		"another type": {"an ordinary request", "application/json", false},
		"none":         {"a request without content", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var fields message.Fields
			if test.contentType != "" {
				fields.Add("Content-Type", test.contentType)
			}
			if got := isGRPC(&fields); got != test.want {
				t.Errorf("%s: got %t", test.reason, got)
			}
		})
	}
}

func TestGRPCStatus(t *testing.T) {
	for _, test := range []struct {
		reason     string
		http, want int
	}{
		{"a request that is malformed", 400, 13},
		{"no route: the method is not there", 404, 12},
		{"a backend that cannot be used MUST be UNAVAILABLE", 500, 14},
		{"nor can one that answers nonsense", 502, 14},
		{"or has no endpoint", 503, 14},
		{"or takes too long", 504, 14},
		{"content above the limit", 413, 8},
		{"whatever may come", 418, 2},
	} {
		if got := grpcStatus(test.http); got != test.want {
			t.Errorf("%s: %d gives %d, want %d", test.reason, test.http, got, test.want)
		}
	}
}
