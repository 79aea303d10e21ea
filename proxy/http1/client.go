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

package http1

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// ClientOptions bound what an endpoint may take.
type ClientOptions struct {
	// Endpoint is the address that every request goes to, whatever its authority.
	Endpoint netip.AddrPort
	// ConnectTimeout for a new connection.
	ConnectTimeout time.Duration
	// HeaderTimeout from the end of the request to the end of the response's header section; 0 for none.
	HeaderTimeout time.Duration
	// IdleTimeout after which an unused connection is closed.
	IdleTimeout time.Duration
	// MaxIdle connections that are kept.
	MaxIdle int
	// MaxHeaderBytes of a response's header section.
	MaxHeaderBytes int64
}

// Client sends requests to one endpoint, over connections that it keeps.
type Client struct {
	transport *http.Transport
	endpoint  string
}

// NewClient makes a client. It connects when it is first used.
func NewClient(options ClientOptions) *Client {
	dialer := &net.Dialer{Timeout: options.ConnectTimeout, KeepAlive: 30 * time.Second}
	endpoint := options.Endpoint.String()
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &Client{endpoint: endpoint, transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, endpoint)
			if err != nil {
				return nil, connectError(err)
			}
			return conn, nil
		},
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConns:           options.MaxIdle,
		MaxIdleConnsPerHost:    options.MaxIdle,
		IdleConnTimeout:        options.IdleTimeout,
		ResponseHeaderTimeout:  options.HeaderTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: options.MaxHeaderBytes,
	}}
}

func connectError(err error) error {
	var netErr net.Error
	return &message.ConnectError{Timeout: errors.As(err, &netErr) && netErr.Timeout(), Err: err}
}

// RoundTrip sends a request and gives the response, which the caller closes. inform is called with each interim
// response before that. A *message.ConnectError says that nothing was sent; of other errors, those that are a timeout
// say so as a net.Error.
func (c *Client) RoundTrip(
	ctx context.Context, request *message.Request, inform func(status int, fields *message.Fields) error,
) (*message.Response, error) {
	gate := &interim{inform: inform}
	defer gate.close()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: gate.pass})
	response, err := c.transport.RoundTrip(c.requestTo(ctx, request))
	if err != nil {
		return nil, err
	}
	return responseFrom(request.Method, response), nil
}

// interim passes interim responses on, until RoundTrip has returned: net/http reads in a goroutine of its own, which
// may still be at it when the request was given up.
type interim struct {
	mu     sync.Mutex
	inform func(status int, fields *message.Fields) error
}

func (i *interim) pass(status int, header textproto.MIMEHeader) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	// 100 is between this proxy and the endpoint: the client's own is sent when its content is first read.
	if status == http.StatusContinue || i.inform == nil {
		return nil
	}
	return i.inform(status, fieldsFrom(http.Header(header)))
}

func (i *interim) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.inform = nil
}

// Close closes the connections that are not in use. The client can be used afterwards.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

func (c *Client) requestTo(ctx context.Context, request *message.Request) *http.Request {
	header := headerFrom(&request.Fields)
	if _, named := header["User-Agent"]; !named {
		header["User-Agent"] = []string{""} // Keeps net/http from naming itself.
	}
	if request.Upgrade != "" {
		header.Set("Connection", "Upgrade")
		header.Set("Upgrade", request.Upgrade)
	}
	sent := &http.Request{
		Method:        request.Method,
		URL:           c.targetURL(request),
		Host:          request.Authority,
		Header:        header,
		ContentLength: request.Length,
		Proto:         "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if request.Body != nil {
		body := &requestBody{reader: request.Body}
		if request.Trailers != nil {
			sent.Trailer = make(http.Header)
			body.trailers, body.sent = request.Trailers, sent.Trailer
		}
		sent.Body = body
	}
	return sent.WithContext(ctx)
}

// targetURL makes net/http write the target as it is, byte for byte. An opaque URL that begins with "//" would be taken
// for one with an authority, so such a path goes the other way, on which net/http escapes what a path must not hold.
func (c *Client) targetURL(request *message.Request) *url.URL {
	target := &url.URL{Scheme: "http", Host: c.endpoint}
	plain, err := url.PathUnescape(request.Path)
	if !strings.HasPrefix(request.Path, "//") || err != nil {
		target.Opaque = request.Target()
		return target
	}
	target.Path, target.RawPath = plain, request.Path
	target.RawQuery, target.ForceQuery = strings.TrimPrefix(request.Query, "?"), request.Query == "?"
	return target
}

// requestBody passes content on. Closing it does not close the client's: after a failed connection the request may go
// to another endpoint.
type requestBody struct {
	reader   io.Reader
	trailers *message.Fields
	sent     http.Header
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.reader.Read(p)
	if err == io.EOF && b.trailers != nil {
		addTo(b.sent, "", b.trailers)
		b.trailers = nil
	}
	return n, err
}

// Close leaves the body to who gave it: the server side still owns it.
func (b *requestBody) Close() error { return nil }

func fieldsFrom(header http.Header) *message.Fields {
	fields := &message.Fields{}
	for name, values := range header {
		for _, value := range values {
			fields.Add(name, value)
		}
	}
	return fields
}

func responseFrom(method string, r *http.Response) *message.Response {
	response := &message.Response{Status: r.StatusCode, Length: r.ContentLength, Fields: *fieldsFrom(r.Header)}
	dropFraming(&response.Fields)
	if r.StatusCode == http.StatusSwitchingProtocols {
		if tunnel, ok := r.Body.(io.ReadWriteCloser); ok {
			response.Tunnel = tunnel
			return response
		}
	}
	if method == http.MethodHead || r.StatusCode == http.StatusNoContent || r.StatusCode == http.StatusNotModified {
		_ = r.Body.Close()
		return response
	}
	response.Body = r.Body
	if response.Length == message.UnknownLength {
		response.Trailers = &message.Fields{}
		response.Body = &responseBody{
			Reader: &trailerReader{body: r.Body, from: &r.Trailer, to: response.Trailers}, Closer: r.Body,
		}
	}
	return response
}

type responseBody struct {
	io.Reader
	io.Closer
}
