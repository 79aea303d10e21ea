//go:build linux && !race

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
	"syscall"
	"unsafe"
)

// Read reads what a socket that does not block has.
func Read(fd uintptr, p []byte) (int, syscall.Errno) { return call(syscall.SYS_RECVFROM, fd, p, 0) }

// Write writes what such a socket takes.
func Write(fd uintptr, p []byte) (int, syscall.Errno) {
	return call(syscall.SYS_SENDTO, fd, p, syscall.MSG_NOSIGNAL)
}

// WriteLast writes the last that is sent on a connection, and ends sending when all of it was taken: both go in one segment.
func WriteLast(fd uintptr, p []byte) (int, syscall.Errno) {
	n, number := call(syscall.SYS_SENDTO, fd, p, syscall.MSG_NOSIGNAL|syscall.MSG_MORE)
	if number == 0 && n == len(p) {
		_, _, _ = syscall.RawSyscall(syscall.SYS_SHUTDOWN, fd, syscall.SHUT_WR, 0) // Closing ends it as well.
	}
	return n, number
}

// call receives or sends: for these the kernel does less than for reading and writing files.
func call(which, fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	n, _, number := syscall.RawSyscall6(which, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
	if number != 0 {
		return 0, number
	}
	return int(n), 0
}
