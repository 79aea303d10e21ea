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

package http2

import (
	"sync/atomic"
	"time"
)

// What frames cost that make work and bring nothing. Requests that are answered and DATA that is sent earn; time does.
const (
	budgetFull      = 1000
	budgetPerSecond = 200

	costFrame    = 1 // PING, PRIORITY, WINDOW_UPDATE, empty DATA, unknown types
	costSettings = 4
	costReset    = 4 // a request that was begun for nothing, or could not be
	earnRequest  = 4
	earnData     = 2 // window updates and measurements answer DATA
)

// budget bounds floods (CVE-2019-9512 and those beside it, CVE-2023-44487).
type budget struct {
	left   atomic.Int64
	filled int64 // when it was filled last, on clock's scale; the spender's own
}

func (b *budget) begin() {
	b.left.Store(budgetFull)
	b.filled = clock()
}

// spend is called by one goroutine. It is false when the budget is exhausted.
func (b *budget) spend(cost int64) bool {
	if b.left.Add(-cost) >= 0 {
		return true
	}
	now := clock()
	grown := (now - b.filled) * budgetPerSecond / int64(time.Second)
	b.filled = now
	return b.left.Add(min(grown, budgetFull)) >= 0
}

func (b *budget) earn(gain int64) {
	if b.left.Load() < budgetFull {
		b.left.Add(gain)
	}
}
