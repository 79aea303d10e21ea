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

package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

var someEndpoint = netip.MustParseAddrPort("10.0.0.1:8443")

func newDistrust() (*Distrust, *bytes.Buffer, *time.Time) {
	log, now := &bytes.Buffer{}, time.Unix(1e9, 0)
	d := NewDistrust(slog.New(slog.NewJSONHandler(log, nil)))
	d.now = func() time.Time { return now }
	return d, log, &now
}

func TestWhatIsDistrust(t *testing.T) {
	refused := errors.New("x509: certificate has expired")
	tests := map[string]struct {
		reason string
		err    error
		want   string // empty: nothing is logged
	}{
		"verification": {"the endpoint is somebody else", &message.ConnectError{TLS: true, Err: refused}, "x509: certificate has expired"},
		"alert": {
			"the endpoint refuses our certificate", fmt.Errorf("read: %w", &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}),
			"tls: bad certificate",
		},
		"connection refused": {"endpoints come and go, and there are counters for that", &message.ConnectError{Err: refused}, ""},
		"full":               {"that says nothing about the endpoint", &message.ConnectError{Full: true, Err: message.ErrFull}, ""},
		"client went":        {"nobody waits for the handshake any more", &message.ConnectError{TLS: true, Err: context.Canceled}, ""},
		"no response":        {"TLS was not the trouble", io.ErrUnexpectedEOF, ""},
		"long":               {"an endpoint must not write pages into a log", &message.ConnectError{TLS: true, Err: errors.New(strings.Repeat("ä", 600))}, "ää"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, log, _ := newDistrust()
			d.Note("backend/shop/a/443", someEndpoint, test.err)
			(*Distrust)(nil).Note("b", someEndpoint, test.err)
			if test.want == "" && log.Len() > 0 {
				t.Errorf("%s: logged %s", test.reason, log)
			}
			for _, part := range []string{`"backend":"backend/shop/a/443"`, `"endpoint":"10.0.0.1:8443"`, test.want} {
				if test.want != "" && !strings.Contains(log.String(), part) {
					t.Errorf("%s: logged %s, without %s", test.reason, log, part)
				}
			}
			if log.Len() > maxDistrust+300 {
				t.Errorf("%s: the line has %d bytes", test.reason, log.Len())
			}
		})
	}
}

// Each request may fail: a line about a backend comes once in a while, with how many were left out, and no backend keeps another's from it.
func TestDistrustIsBounded(t *testing.T) {
	d, log, now := newDistrust()
	failed := &message.ConnectError{TLS: true, Err: errors.New("expired")}
	lines := func() int { return strings.Count(log.String(), "\n") }
	for range 100 {
		d.Note("a", someEndpoint, failed)
		d.Note("b", someEndpoint, failed)
	}
	if lines() != 2 {
		t.Errorf("%d lines about two backends", lines())
	}
	log.Reset()
	*now = now.Add(distrustEvery)
	d.Note("a", someEndpoint, failed)
	if !strings.Contains(log.String(), `"skipped":99`) {
		t.Errorf("99 were left out: %s", log)
	}
	for i := range 2 * maxDistrusted {
		d.Note(fmt.Sprint("many-", i), someEndpoint, failed)
	}
	if len(d.told) > maxDistrusted {
		t.Errorf("%d backends are remembered", len(d.told))
	}
	log.Reset()
	*now = now.Add(distrustEvery)
	d.Note("new", someEndpoint, failed)
	if lines() != 1 || len(d.told) != 1 {
		t.Errorf("what was written long ago takes the room of %d backends", len(d.told))
	}
}
