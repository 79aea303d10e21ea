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

// Reset closes a connection so that its peer is told that it was broken off: with a reset, and without what was not sent yet.
func Reset(conn net.Conn) {
	if plain := PlainOf(conn); plain != nil {
		abandon(plain)
		_ = plain.Close()
	}
	_ = conn.Close()
}

// abandon has closing send a reset.
func abandon(plain Plain) {
	raw, err := plain.SyscallConn()
	if err != nil {
		return // Closed already.
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	})
}
