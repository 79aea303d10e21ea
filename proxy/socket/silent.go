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

// Silent says whether nothing has come on a connection that was not read yet: its peer is the one who is waited for.
func Silent(conn net.Conn) bool {
	plain := PlainOf(conn)
	if plain == nil {
		return false
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return false
	}
	silent := false
	_ = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		for err == syscall.EINTR {
			_, _, err = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		}
		silent = err == syscall.EAGAIN
	})
	return silent
}
