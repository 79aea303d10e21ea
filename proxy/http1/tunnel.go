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
	"net"
	"time"
)

// tunnel is a connection after a switch of protocols.
type tunnel struct {
	net.Conn
	// early are bytes that the peer sent directly behind the head.
	early []byte
}

// newTunnel takes a connection over from a wire.
func newTunnel(w *wire) *tunnel {
	_ = w.conn.SetDeadline(time.Time{})
	return &tunnel{Conn: w.conn, early: append([]byte(nil), w.buffered()...)}
}

// Read gives the early bytes first.
func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.early) > 0 {
		n := copy(p, t.early)
		t.early = t.early[n:]
		return n, nil
	}
	return t.Conn.Read(p)
}
