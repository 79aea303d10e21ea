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

package http2

import (
	"io"

	"github.com/rauta-dev/rauta/proxy/message"
)

// tunnel is a stream after an extended CONNECT (RFC 8441 section 5).
type tunnel struct{ stream *stream }

// Upgrade answers an extended CONNECT with 200 and hands over the stream. RFC 8441 section 5: the fields of the
// handshake that HTTP/1.1 has beyond that are not used.
func (r *reply) Upgrade(response *message.Response) (io.ReadWriteCloser, error) {
	if err := r.seize(); err != nil {
		return nil, err
	}
	s := r.stream
	response.Fields.Remove("Sec-WebSocket-Accept")
	r.block, r.held = appendFields(appendStatus(r.block[:0], 200), &response.Fields), true
	s.conn.mu.Lock()
	s.body.tunnel = true
	s.conn.mu.Unlock()
	if err := s.release(); err != nil {
		return nil, err
	}
	return &tunnel{s}, nil
}

// Read gives what the client has sent.
func (t *tunnel) Read(p []byte) (int, error) { return t.stream.body.Read(p) }

// Write sends to the client.
func (t *tunnel) Write(p []byte) (int, error) {
	if err := t.stream.send(p, false); err != nil {
		return 0, err
	}
	return len(p), t.stream.release()
}

// Close ends both directions.
func (t *tunnel) Close() error {
	s, c := t.stream, t.stream.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	s.body.fail(errInterrupted)
	s.wake.Broadcast()
	if s.over || s.responded || c.broken != nil {
		return nil
	}
	s.sendData(nil, true)
	s.endResponse()
	c.flush(false)
	return nil
}
