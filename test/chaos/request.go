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
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"time"
)

// requester is one client that sends request after request.
type requester struct {
	load    *load
	subject *subject
	kind    traffic
	to      netip.AddrPort
	url     string
	pause   time.Duration
	dialer  dialer
	client  *http.Client
}

func newRequester(l *load, s *subject, kind traffic) *requester {
	r := &requester{load: l, subject: s, kind: kind, to: s.at(httpPort), url: "http://" + host + "/", pause: requestPause}
	if kind == newTLS || kind == keptHTTP2 {
		r.to, r.url = s.at(httpsPort), "https://"+host+"/"
	}
	roots := s.roots
	switch kind {
	case listenerSet:
		r.to, r.pause = s.at(morePort), slowPause
	case newPassed:
		r.to, r.url, r.pause, roots = s.at(tlsPort), "https://"+through+"/", slowPause, s.sealed
	}
	r.client = &http.Client{
		Timeout: limit,
		Transport: &http.Transport{
			DisableKeepAlives: kind != keepAlive && kind != keptHTTP2,
			ForceAttemptHTTP2: kind == keptHTTP2,
			TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return r.dialer.dial(ctx, r.to.String()) },
		},
	}
	return r
}

func (r *requester) run(ctx context.Context) {
	defer r.client.CloseIdleConnections()
	for wait(ctx, r.pause) {
		r.request(context.WithoutCancel(ctx))
	}
}

// request is counted as failed also where the client of the standard library hides it, by sending a request once more of
// which the kept connection was closed.
func (r *requester) request(ctx context.Context) {
	var used []uint16
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { used = append(used, portOf(info.Conn)) }}
	begin := time.Now()
	err := r.send(httptrace.WithClientTrace(ctx, trace))
	for _, port := range used[:max(0, len(used)-1)] {
		r.fail(begin, port, errors.New("the kept connection was closed under the request, which was sent again"))
	}
	switch {
	case err == nil:
		r.load.ledger.succeed(r.kind, time.Since(begin))
	case len(used) > 0:
		r.fail(begin, used[len(used)-1], err)
	default:
		r.fail(begin, 0, err)
	}
}

func (r *requester) send(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if r.kind == keptHTTP2 && response.ProtoMajor != 2 {
		return fmt.Errorf("answered in %s", response.Proto)
	}
	if response.StatusCode != http.StatusOK || len(body) == 0 {
		return fmt.Errorf("status %d: %.100q", response.StatusCode, body)
	}
	return nil
}

// fail notes a failure on the connection from a port, or on the one that was dialled last for 0.
func (r *requester) fail(begin time.Time, port uint16, err error) {
	r.load.ledger.fail(&failure{
		Traffic: r.kind, Gateway: r.subject.name, Replica: r.dialer.replica(r.load.conntrack, port, r.to),
		Begin: begin, End: time.Now(), Message: err.Error(),
	})
}
