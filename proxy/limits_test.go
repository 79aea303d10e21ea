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
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

func (b *table) settings(settings *adminv1.Settings) *table {
	return b.add(&adminv1.Resource{Name: "settings", Spec: &adminv1.Resource_Settings{Settings: settings}})
}

// Limits of a table hold from the next request on, on connections that are there as well; without them those of the
// bootstrap hold again.
func TestLimitsAtRunTime(t *testing.T) {
	at := serve(t, func(http.ResponseWriter, *http.Request) {})
	plain := func() *table {
		return new(table).listener("l", 80, "").backend("b", at).route("r", "l", "/", "b=1")
	}
	p := start(t, plain().resources)
	status := func(request string) int {
		t.Helper()
		conn, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if first, _ := response(t, reader, "GET"); first.StatusCode != 200 {
			t.Fatalf("got %d", first.StatusCode)
		}
		say(conn, request)
		answer, _ := response(t, reader, "GET")
		return answer.StatusCode
	}
	fields := "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: 1\r\n", 20) + "\r\n"
	content := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
	check := func(when string, wantFields, wantContent int) {
		t.Helper()
		if gotFields, gotContent := status(fields), status(content); gotFields != wantFields || gotContent != wantContent {
			t.Errorf("%s: got %d and %d, want %d and %d", when, gotFields, gotContent, wantFields, wantContent)
		}
	}
	check("before", 200, 200)
	conn, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	response(t, reader, "GET")
	load(t, p, plain().settings(&adminv1.Settings{Limits: &adminv1.Limits{
		MaxFields: proto.Uint32(10), MaxBodyBytes: proto.Uint64(10),
	}}))
	say(conn, fields)
	if answer, _ := response(t, reader, "GET"); answer.StatusCode != 431 {
		t.Errorf("on a connection that was there: got %d", answer.StatusCode)
	}
	check("with settings", 431, 413)
	load(t, p, plain())
	check("after", 200, 200)
}

// What proxies in front say is kept as far as they are trusted.
func TestTrustedHops(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Header.Get("X-Forwarded-For"), "|", r.Header.Get("X-Forwarded-Proto"))
	})
	for hops, want := range map[uint32]string{0: "127.0.0.1|http", 1: "2.2.2.2, 127.0.0.1|https", 2: "1.1.1.1, 2.2.2.2, 127.0.0.1|https"} {
		p := start(t, new(table).listener("l", 80, "").backend("b", at).route("r", "l", "/", "b=1").
			settings(&adminv1.Settings{TrustedHops: hops}).resources)
		_, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: a\r\n"+
			"X-Forwarded-For: 9.9.9.9, 1.1.1.1, 2.2.2.2\r\nX-Forwarded-Proto: https\r\n\r\n")
		if _, body := response(t, reader, "GET"); body != want {
			t.Errorf("%d hops: got %q, want %q", hops, body, want)
		}
	}
}
