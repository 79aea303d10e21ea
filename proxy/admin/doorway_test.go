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

package admin

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/socket"
)

// Whoever reaches the port without an identity takes no more than a few files of the process, and does not keep the operator out.
func TestStrangersTakeLittleAndKeepNobodyOut(t *testing.T) {
	r := startReplica(t)
	strangers := make([]net.Conn, 4*maxEntering)
	for i := range strangers {
		conn, err := net.Dial("tcp", r.server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		strangers[i] = conn
	}
	// Those that came first have been shown out, without having waited for ten seconds.
	for i, conn := range strangers[:len(strangers)-maxEntering] {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("stranger %d of %d is let stand in the door: %v", i, len(strangers), err)
		}
	}
	if response, err := r.session(t).Recv(); err != nil || response.GetInventory() == nil {
		t.Fatalf("the operator is told %v, %v", response, err)
	}
	if count := r.server.socket.(*socket.Doorway).Len(); count != maxEntering-1 {
		t.Errorf("%d clients stand in the door, where the operator has taken the place of one of %d and gone through", count, maxEntering)
	}
}
