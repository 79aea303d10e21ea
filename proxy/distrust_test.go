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
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// logged is what was logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines are those that have all of the parts.
func (l *logged) lines(parts ...string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		has := true
		for _, part := range parts {
			has = has && strings.Contains(line, part)
		}
		if has {
			found = append(found, line)
		}
	}
	return found
}

// The client is told that something is wrong, and no more: what is, whoever has to mend it finds in the log, whichever way the backend is
// used.
func TestFailedTLSWithEndpointsIsLogged(t *testing.T) {
	ca := testca.New(t)
	pair := ca.Issue(t, "", issuedFor("b.test", "c.test"), func(c *x509.Certificate) { c.URIs = nil })
	served := func(change func(*tls.Config)) string {
		with := &tls.Config{Certificates: []tls.Certificate{pair.TLS(t)}}
		change(with)
		return serveOver(t, with, func(http.ResponseWriter, *http.Request) {})
	}
	other := served(func(*tls.Config) {})
	asking := served(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert })
	log := &logged{}
	b := new(table).listener("l", 80, "").streamListener("tcp", adminv1.Protocol_PROTOCOL_TCP, 81).
		backend("good", other).over(trusting(ca, "b.test")).route("good", "l", "/good", "good").
		backend("first", other).over(trusting(ca, "a.test")).route("first", "l", "/first", "first").
		second("second", other).over(trusting(ca, "a.test")).route("second", "l", "/second", "second").
		backend("asking", asking).over(trusting(ca, "b.test")).route("asking", "l", "/asking", "asking").
		backend("mirror", other).over(trusting(ca, "a.test")).route("mirrored", "l", "/mirrored", "good").with(func(r *adminv1.Rule) {
		r.Filters = append(r.Filters, mirroring("mirror", 1, 1))
	}).
		streamBackend("stream", other).over(trusting(ca, "a.test")).streamRoute("stream", nil, "tcp", "stream")
	p := start(t, b.resources, func(c *Config) { c.Logger = slog.New(slog.NewJSONHandler(log, nil)) })
	for path, want := range map[string]int{"/good": 200, "/first": 502, "/second": 502, "/asking": 502, "/mirrored": 200} {
		if status, _ := get(t, client(t), address(t, p, 80), "h", path); status != want {
			t.Errorf("%s: got %d, want %d", path, status, want)
		}
	}
	conn := connectTo(t, address(t, p, 81))
	_, _ = io.Copy(io.Discard, conn)
	names := `: it is for [\"b.test\" \"c.test\"]`
	for backend, parts := range map[string][]string{
		"first": {other, `not for [\"a.test\"]`, names}, "second": {other, names}, "stream": {other, names}, "mirror": {other, names},
		"asking": {asking, "certificate required"},
	} {
		parts = append(parts, `"level":"WARN"`, `"backend":"backend/`+backend+`"`)
		eventually(t, "backend "+backend+" is in the log once", func() bool { return len(log.lines(parts...)) == 1 })
	}
	if found := log.lines(`"backend":"backend/good"`); len(found) > 0 {
		t.Errorf("of a backend that answers: %s", found)
	}
}
