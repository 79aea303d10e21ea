//go:build !race

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
	"syscall"
	"unsafe"
)

// readNow reads what a socket that does not block has. The scheduler is not told of these system calls: they copy a few
// kilobytes, and telling it would take a good part of that time.
func readNow(fd uintptr, p []byte) (int, syscall.Errno) { return call(syscall.SYS_READ, fd, p) }

// writeNow writes what such a socket takes.
func writeNow(fd uintptr, p []byte) (int, syscall.Errno) { return call(syscall.SYS_WRITE, fd, p) }

func call(which, fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, number := syscall.RawSyscall(which, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if number != 0 {
		return 0, number
	}
	return int(n), 0
}
