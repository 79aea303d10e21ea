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

package socket

import (
	"io"
	"net"
	"time"
)

const (
	lingerTime  = time.Second
	lingerBytes = 256 << 10
)

// Linger ends a connection whose peer may still be sending, so that it can read what it was sent last. RFC 9112 section
// 9.6: "If a server performs an immediate close of a TCP connection, there is a significant risk that the client will not
// be able to read the last HTTP response"; so the sending side is closed first, and what comes is read for a while. The
// connection is to be closed afterwards.
func Linger(conn net.Conn) {
	below := PlainOf(conn)
	if below == nil {
		return
	}
	// RFC 8446 section 6.1: "Each party MUST send a "close_notify" alert before closing its write side of the connection".
	if secured, ok := conn.(interface{ CloseWrite() error }); ok && conn != net.Conn(below) {
		_ = secured.CloseWrite() // The socket shows whether that failed.
	}
	if below.CloseWrite() != nil {
		return
	}
	_ = below.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, below, lingerBytes) // What TLS has encrypted as well: nobody reads it.
}
