//go:build !linux || race

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
	"errors"
	"syscall"
)

// The race detector sees only the package syscall's own calls: for it, what was written before something is sent is
// there for whoever has received it.

// Read reads what a socket that does not block has.
func Read(fd uintptr, p []byte) (int, syscall.Errno) { return counted(syscall.Read(int(fd), p)) }

// Write writes what such a socket takes.
func Write(fd uintptr, p []byte) (int, syscall.Errno) { return counted(syscall.Write(int(fd), p)) }

// WriteLast writes the last that is sent on a connection.
func WriteLast(fd uintptr, p []byte) (int, syscall.Errno) { return Write(fd, p) }

func counted(n int, err error) (int, syscall.Errno) {
	var number syscall.Errno
	if errors.As(err, &number) {
		return 0, number
	}
	return n, 0
}
