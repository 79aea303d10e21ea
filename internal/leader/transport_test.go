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

package leader

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// server counts what reaches it.
func server(t *testing.T, handle http.HandlerFunc) (url string, reached *atomic.Int64) {
	t.Helper()
	reached = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, reached
}

func TestTransportRefusesWritesAlone(t *testing.T) {
	c := newClock()
	fence := newFence(t, c)
	url, reached := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") })
	through := &http.Client{Transport: fence.Transport(http.DefaultTransport)}
	send := func(method string) (string, error) {
		request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("content"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := through.Do(request)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		content, err := io.ReadAll(response.Body)
		return string(content), err
	}
	writes := []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

	fence.held(c.at)
	for _, method := range append(writes, http.MethodGet) {
		if got, err := send(method); err != nil || got != "done" {
			t.Errorf("a leader's %s is answered %q, %v", method, got, err)
		}
	}
	before := reached.Load()
	c.pass(terms.RenewDeadline)
	for _, method := range writes {
		if _, err := send(method); !errors.Is(err, ErrNotLeading) {
			t.Errorf("%s after the deadline: got %v, want a refusal", method, err)
		}
	}
	if reached.Load() != before {
		t.Error("a refused request was sent all the same")
	}
	if got, err := send(http.MethodGet); err != nil || got != "done" {
		t.Errorf("reading needs no lease, and is answered %q, %v", got, err)
	}
}

// A write that is under way when another operator may take the lease is given up.
func TestTransportGivesUpWhatTakesTooLong(t *testing.T) {
	c := newClock()
	fence, err := NewFence(Terms{LeaseDuration: time.Hour, RenewDeadline: time.Hour - 10*time.Millisecond}, discard{}, c.now)
	if err != nil {
		t.Fatal(err)
	}
	url, _ := server(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices that its client leaves only when nothing is left to read
		<-r.Context().Done()
	})
	fence.held(c.at)
	c.pass(time.Hour - 11*time.Millisecond)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader("content"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = fence.Transport(http.DefaultTransport).RoundTrip(request)
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrNotLeading) {
		t.Errorf("got %v, want the request to be given up", err)
	}
}
