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
	"encoding/binary"
	"io"
	"net"
	"syscall"
	"testing"
	"unsafe"
)

// segmentsIn is how many segments a connection has received: tcpi_segs_in of struct tcp_info.
func segmentsIn(t *testing.T, conn *net.TCPConn) uint32 {
	t.Helper()
	const offset = 140
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info [offset + 4]byte
	size := uint32(len(info))
	if err := raw.Control(func(fd uintptr) {
		_, _, number := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if number != 0 || size != offset+4 {
			t.Fatalf("the kernel tells %d bytes about a connection: %v", size, number)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return binary.NativeEndian.Uint32(info[offset:])
}

// The end goes with the last bytes: a segment of its own would be most of what ending a connection costs.
func TestLastIsOneSegment(t *testing.T) {
	tests := map[string]struct {
		reason string
		write  func(fd uintptr, p []byte) (int, syscall.Errno)
		want   uint32
	}{
		"last": {"the bytes and the end", WriteLast, 1},
		"not last": {"it shows that segments are counted right", func(fd uintptr, p []byte) (int, syscall.Errno) {
			n, number := Write(fd, p)
			_ = syscall.Shutdown(int(fd), syscall.SHUT_WR)
			return n, number
		}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			accepted, dialled := pair(t)
			raw, err := accepted.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			before := segmentsIn(t, dialled)
			if err := raw.Write(func(fd uintptr) bool {
				if n, number := test.write(fd, []byte("the last")); n != len("the last") || number != 0 {
					t.Errorf("wrote %d: %v", n, number)
				}
				return true
			}); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(dialled); string(got) != "the last" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			if got := segmentsIn(t, dialled) - before; got != test.want {
				t.Errorf("%d segments, want %d: %s", got, test.want, test.reason)
			}
		})
	}
}
