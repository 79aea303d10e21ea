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
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// memory is a connection whose peer has sent something and then closed its sending side.
type memory struct {
	sent []byte
	// piece is how much one Read gives; 0 for as much as it can.
	piece   int
	written bytes.Buffer
}

func (m *memory) Read(p []byte) (int, error) {
	if len(m.sent) == 0 {
		return 0, io.EOF
	}
	if m.piece > 0 {
		p = p[:min(len(p), m.piece)]
	}
	n := copy(p, m.sent)
	m.sent = m.sent[n:]
	return n, nil
}

func (m *memory) Write(p []byte) (int, error)      { return m.written.Write(p) }
func (m *memory) Close() error                     { return nil }
func (m *memory) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (m *memory) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }

// got is a message as it was understood.
type got struct {
	Method, Authority, Target string
	Status                    int
	Fields                    []message.Field
	Length                    int64
	Body                      string
	Trailers                  []message.Field
}

// serveBytes serves what a client sent, and gives the requests that were read to their end and what was answered.
func serveBytes(options ServerOptions, data []byte, piece int) (requests []got, answer string) {
	options.Handler = handlerFunc(func(_ context.Context, request *message.Request, reply message.Reply) {
		var body []byte
		if request.Body != nil {
			var err error
			if body, err = io.ReadAll(request.Body); err != nil {
				return
			}
		}
		requests = append(requests, got{
			Method: string([]byte(request.Method)), Authority: string([]byte(request.Authority)),
			Target: string([]byte(request.Target())), Fields: cloned(&request.Fields), Length: request.Length,
			Body: string(body), Trailers: cloned(request.Trailers),
		})
		_ = reply.Respond(&message.Response{Status: 200})
	})
	server := NewServer(options)
	conn := &memory{sent: data, piece: piece}
	newConn(server, conn, message.Arrival{Scheme: "http"}).serve()
	return requests, conn.written.String()
}

func cloned(fields *message.Fields) []message.Field {
	var all []message.Field
	for i := range fields.Len() {
		name, value := fields.Line(i)
		all = append(all, message.Field{Name: string([]byte(name)), Value: string([]byte(value))})
	}
	return all
}

// readBytes reads the response to a request from what an endpoint sent. rest is what was not read.
func readBytes(options ClientOptions, request *message.Request, data []byte, piece int) (response got, interims int, rest int, err error) {
	conn := &memory{sent: data, piece: piece}
	client := NewClient(options)
	u := &upstream{client: client, limits: client.limits.Load(), keeps: true}
	if err := u.open(conn); err != nil {
		return got{}, 0, 0, err
	}
	err = u.readResponse(request, func(int, *message.Fields) error { interims++; return nil })
	if err != nil {
		return got{}, interims, 0, err
	}
	r := &u.response
	response = got{Status: r.Status, Fields: cloned(&r.Fields), Length: r.Length}
	if r.Body != nil {
		var body []byte
		if body, err = io.ReadAll(r.Body); err != nil {
			return got{}, interims, 0, err
		}
		response.Body = string(body)
	}
	response.Trailers = cloned(r.Trailers)
	return response, interims, len(conn.sent) + len(u.buffered()), nil
}

// serveWithErrors answers like package forward when content cannot be read.
func serveWithErrors(options ServerOptions, data []byte) (handled int, answer string) {
	options.Handler = handlerFunc(func(_ context.Context, request *message.Request, reply message.Reply) {
		handled++
		status := 200
		if request.Body != nil {
			var wrong *message.ContentError
			if _, err := io.Copy(io.Discard, request.Body); errors.As(err, &wrong) {
				status = wrong.Status
			}
		}
		_ = reply.Respond(&message.Response{Status: status})
	})
	conn := &memory{sent: data}
	newConn(NewServer(options), conn, message.Arrival{Scheme: "http"}).serve()
	return handled, conn.written.String()
}
