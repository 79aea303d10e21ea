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
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	// settleBytes is how much of tables has to come for the memory that it took on its way to be worth a collection.
	settleBytes = 256 << 10
	// settleDelay gathers commits, and lets go of the message that brought the last one.
	settleDelay = 5 * time.Second
	// garbage is how much may be thrown away until it is collected, as a part of what is held at least leastGarbage percent, and at
	// most what Go allows by itself.
	garbage, leastGarbage, mostGarbage = 16 << 20, 25, 100
)

// memory gives back to the system what decoding and building a large table took, or many small changes of one. Requests allocate so
// little that the garbage collector would not run for minutes, and until then the process would be several times as large as what it
// holds.
type memory struct {
	came     atomic.Int64
	settling atomic.Bool
	giveBack func() // giveBack
}

// settle is called when a table has been made from as many new bytes.
func (m *memory) settle(bytes int) {
	if m.came.Add(int64(bytes)) < settleBytes || m.settling.Swap(true) {
		return
	}
	time.AfterFunc(settleDelay, func() {
		m.came.Store(0)
		m.settling.Store(false)
		m.giveBack()
	})
}

// giveBack collects what was thrown away. What may be from now on, until it is collected, does not grow with what is held: with
// thousands of routes a process would else be twice as large as they are, for what few allocations there are. GOGC has the last word.
func giveBack() {
	debug.FreeOSMemory()
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(gcPercent(live[0].Value.Uint64()))
}

// gcPercent is how much may be thrown away as a part of what is held.
func gcPercent(held uint64) int {
	if held == 0 {
		return mostGarbage
	}
	return int(min(max(100*garbage/held, leastGarbage), mostGarbage))
}
