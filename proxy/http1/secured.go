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
	"os"
	"syscall"

	"github.com/rauta-dev/rauta/proxy/socket"
)

var (
	errNoSocket = errors.New("the connection has no socket")
	errSpoken   = errors.New("the endpoint closed the connection, or sent something that nobody asked for")
)

// openBelow finds the socket of a connection over TLS.
func (u *upstream) openBelow() error {
	plain := socket.PlainOf(u.conn)
	if plain == nil {
		return errNoSocket
	}
	var err error
	u.below, err = plain.SyscallConn()
	return err
}

// look is what onSocket's first attempt to read is without TLS: an error says that a kept connection has been closed, or has
// bytes that belong to no response, in its socket or decrypted. Of what is in the socket it cannot be told whether TLS keeps it
// to itself, as it does tickets; those come with a response, and a connection on which they come later is not used again.
func (u *upstream) look() error {
	found := errSpoken
	err := u.below.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		for errors.Is(err, syscall.EINTR) {
			_, _, err = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		}
		if errors.Is(err, syscall.EAGAIN) {
			found = nil
		}
	})
	if err != nil {
		return err
	}
	if found != nil {
		return found
	}
	var one [1]byte
	u.readBy = unknown
	_ = u.conn.SetReadDeadline(past)
	if _, err := u.conn.Read(one[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		return errSpoken
	}
	return nil
}
