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
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/rauta-dev/rauta/proxy/message"
)

// reply implements message.Reply on a net/http response writer.
type reply struct {
	server  *Server
	writer  http.ResponseWriter
	request *http.Request
	// done is true once a response or an upgrade has begun, broken when it could not be finished.
	done   bool
	broken bool
}

// Inform sends an interim response.
func (r *reply) Inform(status int, fields *message.Fields) error {
	if r.done {
		return errors.New("inform: the response has begun")
	}
	header := r.writer.Header()
	before := header.Clone()
	addTo(header, "", fields)
	r.writer.WriteHeader(status)
	clear(header)
	for name, values := range before {
		header[name] = values
	}
	return nil
}

// Respond sends the response.
func (r *reply) Respond(response *message.Response) error {
	if r.done {
		return errors.New("respond: the response has begun")
	}
	r.done = true
	header := r.writer.Header()
	addTo(header, "", &response.Fields)
	if _, typed := header["Content-Type"]; !typed {
		header["Content-Type"] = nil // Keeps net/http from guessing one.
	}
	if response.Length >= 0 && lengthAllowed(response.Status) {
		header.Set("Content-Length", strconv.FormatInt(response.Length, 10))
	}
	r.writer.WriteHeader(response.Status)
	if response.Body == nil || r.request.Method == http.MethodHead {
		return nil
	}
	if err := r.copyBody(response); err != nil {
		r.broken = true
		return err
	}
	addTo(header, http.TrailerPrefix, response.Trailers)
	return nil
}

// lengthAllowed: RFC 9110 section 8.6: "A server MUST NOT send a Content-Length header field in any response with a
// status code of 1xx (Informational) or 204 (No Content)." 304 may have one.
func lengthAllowed(status int) bool { return status >= 200 && status != http.StatusNoContent }

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// copyBody passes content on as it arrives: it flushes whenever it would have to wait for more, and leaves the end to
// net/http, which then writes a short response at once. Content of unknown length may be long in coming, and the head
// does not wait for it.
func (r *reply) copyBody(response *message.Response) error {
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	controller := http.NewResponseController(r.writer)
	var copied int64
	if response.Length == message.UnknownLength {
		if err := controller.Flush(); err != nil {
			return fmt.Errorf("flush response head: %w", err)
		}
	}
	for {
		n, err := response.Body.Read(buffer[:])
		if n > 0 {
			if _, writeErr := r.writer.Write(buffer[:n]); writeErr != nil {
				return fmt.Errorf("write response body: %w", writeErr)
			}
			copied += int64(n)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &message.BodyError{Err: err}
		}
		if copied == response.Length {
			continue
		}
		if err := controller.Flush(); err != nil {
			return fmt.Errorf("flush response body: %w", err)
		}
	}
}

// Upgrade sends a 101 response and hands over the connection.
func (r *reply) Upgrade(response *message.Response) (io.ReadWriteCloser, error) {
	if r.done {
		return nil, errors.New("upgrade: the response has begun")
	}
	conn, buffered, err := http.NewResponseController(r.writer).Hijack()
	if err != nil {
		return nil, fmt.Errorf("upgrade: take over the connection: %w", err)
	}
	r.done = true
	header := headerFrom(&response.Fields)
	fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\n")
	if err := header.Write(buffered); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("upgrade: write the response: %w", err)
	}
	_, _ = buffered.WriteString("\r\n") // A failure shows at Flush.
	if err := buffered.Flush(); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("upgrade: write the response: %w", err)
	}
	return r.server.newTunnel(conn, buffered.Reader), nil
}

// tunnel is a connection after a switch of protocols.
type tunnel struct {
	net.Conn
	server *Server
	// early are bytes that the client sent before it saw the response.
	early io.Reader
}

// Read gives what was buffered first.
func (t *tunnel) Read(p []byte) (int, error) { return t.early.Read(p) }

// Close closes the connection.
func (t *tunnel) Close() error {
	t.server.mu.Lock()
	delete(t.server.tunnels, t)
	t.server.mu.Unlock()
	return t.Conn.Close()
}

func (s *Server) newTunnel(conn net.Conn, early io.Reader) *tunnel {
	t := &tunnel{Conn: conn, server: s, early: early}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tunnels[t] = struct{}{}
	return t
}
