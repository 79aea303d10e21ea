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
	"sync/atomic"
	"time"
)

const (
	// settleBytes is how much of a table has to come at once for the memory that it took on its way to be worth a collection.
	settleBytes = 256 << 10
	// settleDelay gathers commits, and lets go of the message that brought the last one.
	settleDelay = 5 * time.Second
)

// memory gives back to the system what decoding and building a large table took. Requests allocate so little that the
// garbage collector would not run for minutes, and until then the process would be several times as large as what it holds.
type memory struct {
	settling atomic.Bool
	giveBack func() // debug.FreeOSMemory
}

// settle is called when a table has been made from as many new bytes.
func (m *memory) settle(bytes int) {
	if bytes < settleBytes || m.settling.Swap(true) {
		return
	}
	time.AfterFunc(settleDelay, func() {
		m.settling.Store(false)
		m.giveBack()
	})
}
