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
	"net"
	"syscall"
)

// Plain is a connection with nothing between it and its socket: a *net.TCPConn, or what a Listener gives.
type Plain interface {
	net.Conn
	syscall.Conn
	// CloseWrite ends sending: the peer reads the end, and may go on sending.
	CloseWrite() error
}

// PlainOf gives what is below a connection that ends TLS, or the connection itself; nil when that is not plain.
func PlainOf(conn net.Conn) Plain {
	for {
		over, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = over.NetConn()
	}
	plain, _ := conn.(Plain)
	return plain
}
