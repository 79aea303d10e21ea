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
	"io"
	"net/http"

	"k8s.io/client-go/rest"
)

// transport asks a Fence before each request that is not just for reading. It is as near to the wire as can be: what happens
// between a client's call and the sending of its request (encoding, waiting for a connection) may take any time.
type transport struct {
	next  http.RoundTripper
	fence *Fence
}

// Transport has the Fence asked before requests are sent that write.
func (f *Fence) Transport(next http.RoundTripper) http.RoundTripper {
	return &transport{next: next, fence: f}
}

// Config is that of clients which write only while this operator may. Connections that were made of another config do not ask the Fence.
func (f *Fence) Config(config *rest.Config) *rest.Config {
	if f == nil {
		return config
	}
	fenced := rest.CopyConfig(config)
	fenced.Wrap(f.Transport)
	return fenced
}

// RoundTrip sends one request. One that writes is given up when another operator may have the lease.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet || request.Method == http.MethodHead || request.Method == "" {
		return t.next.RoundTrip(request)
	}
	left, err := t.fence.admit(kindWrite)
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // a RoundTripper must, and nothing was read from it
		}
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(request.Context(), left, ErrNotLeading)
	response, err := t.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, end: cancel}
	return response, nil
}

// body of an answer, whose context ends with it.
type body struct {
	io.ReadCloser
	end context.CancelFunc
}

// Close ends the context as well.
func (b *body) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
