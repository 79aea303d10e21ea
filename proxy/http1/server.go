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
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// Handler answers requests. Handle returns when the exchange is over; ctx ends when the client goes away.
type Handler interface {
	Handle(ctx context.Context, request *message.Request, reply message.Reply)
}

// ServerOptions bound what clients may take.
type ServerOptions struct {
	Handler Handler
	// MaxHeaderBytes of a request line and header section; above, the answer is 431.
	MaxHeaderBytes int
	// HeaderTimeout from a request's first byte to the end of its header section.
	HeaderTimeout time.Duration
	// IdleTimeout between requests of a connection.
	IdleTimeout time.Duration
	Logger      *slog.Logger
}

// Server serves the connections of any number of sockets.
type Server struct {
	handler  Handler
	server   *http.Server
	draining atomic.Bool

	mu      sync.Mutex
	tunnels map[*tunnel]struct{}
}

// NewServer makes a server.
func NewServer(options ServerOptions) *Server {
	s := &Server{handler: options.Handler, tunnels: make(map[*tunnel]struct{})}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	s.server = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		MaxHeaderBytes:    options.MaxHeaderBytes,
		ReadHeaderTimeout: options.HeaderTimeout,
		IdleTimeout:       options.IdleTimeout,
		Protocols:         protocols,
		// "OPTIONS *" is for the handler to answer like any other request.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(options.Logger.Handler(), slog.LevelDebug),
	}
	return s
}

// Serve accepts connections until the socket is closed, and serves each in a goroutine of its own.
func (s *Server) Serve(socket net.Listener) error {
	err := s.server.Serve(socket)
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Drain asks clients to go elsewhere: from now on every response closes its connection. New ones are still served.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown closes the sockets and the idle connections, and waits until the others have finished, at most until ctx
// ends. Then, or before, it cuts what is left.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	err := s.server.Shutdown(ctx)
	if err == nil {
		err = s.waitTunnels(ctx)
	}
	s.Close()
	return err
}

// Close cuts everything.
func (s *Server) Close() {
	_ = s.server.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.tunnels {
		_ = t.Conn.Close()
	}
}

// serve is one exchange.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	// net/http lets the preface of HTTP/2 pass as a request.
	if r.ProtoMajor != 1 {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusHTTPVersionNotSupported)
		return
	}
	reply := &reply{server: s, writer: w, request: r}
	// Without it net/http would read the request to its end before it lets the response begin. It has no error for a
	// writer of its own.
	_ = http.NewResponseController(w).EnableFullDuplex()
	if s.draining.Load() {
		w.Header().Set("Connection", "close")
	}
	request := requestFrom(r)
	s.handler.Handle(r.Context(), request, reply)
	if reply.broken || !reply.done {
		// The only way to tell the client that this is not the end of the content.
		panic(http.ErrAbortHandler)
	}
}

// requestFrom gives the project's head for one of net/http.
func requestFrom(r *http.Request) *message.Request {
	request := &message.Request{
		Method:    r.Method,
		Scheme:    "http",
		Authority: r.Host,
		Length:    r.ContentLength,
	}
	request.Path, request.Query = target(r)
	request.Client, _ = netip.ParseAddrPort(r.RemoteAddr)
	for name, values := range r.Header {
		for _, value := range values {
			request.Fields.Add(name, value)
		}
	}
	if upgrade, found := request.Fields.Get("Upgrade"); found && asksToUpgrade(r) {
		request.Upgrade = upgrade
	}
	dropFraming(&request.Fields)
	if r.Body != nil && r.Body != http.NoBody {
		request.Body = r.Body
	}
	if len(r.Trailer) > 0 {
		request.Trailers = &message.Fields{}
		request.Body = &trailerReader{body: request.Body, from: &r.Trailer, to: request.Trailers}
	}
	return request
}

// target splits the request's target as it came. net/http has checked its syntax.
func target(r *http.Request) (path, query string) {
	raw := r.RequestURI
	if r.Method == http.MethodConnect {
		return "", ""
	}
	if !strings.HasPrefix(raw, "/") && raw != "*" {
		// absolute-form (RFC 9112 section 3.2.2); its authority is already in r.Host.
		_, raw, _ = strings.Cut(raw, "://")
		end := strings.IndexAny(raw, "/?")
		if end < 0 {
			return "/", ""
		}
		raw = raw[end:]
		if raw[0] == '?' {
			return "/", raw
		}
	}
	mark := strings.IndexByte(raw, '?')
	if mark < 0 {
		return raw, ""
	}
	return raw[:mark], raw[mark:]
}

// asksToUpgrade: RFC 9110 section 7.8: "A sender of Upgrade MUST also send an "Upgrade" connection option in the
// Connection header field". Content together with a switch of protocols is not supported.
func asksToUpgrade(r *http.Request) bool {
	if r.ContentLength != 0 {
		return false
	}
	for _, value := range r.Header["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			if message.EqualNames(strings.TrimSpace(option), "upgrade") {
				return true
			}
		}
	}
	return false
}

// dropFraming removes what a codec writes by itself.
func dropFraming(fields *message.Fields) {
	fields.Remove("Content-Length")
	fields.Remove("Transfer-Encoding")
	fields.Remove("Trailer")
	fields.Remove("Host")
}
