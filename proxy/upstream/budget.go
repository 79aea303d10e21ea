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

package upstream

import (
	"sync"
	"time"
)

const (
	// retryShare is one retry for as many requests.
	retryShare = 5
	// retryRate is how many a second there may be at least, and retryBurst how many at once.
	retryRate, retryBurst = 10, 100
)

// Budget bounds how often requests to a backend are sent again: a backend that answers nobody must not get several times
// its requests on top. It is a bucket that each request fills by a share of a retry, and time by a few.
type Budget struct {
	mu sync.Mutex
	// held is in shares of a retry.
	held   float64
	filled time.Time
}

// NewBudget makes a full budget.
func NewBudget() *Budget { return &Budget{held: retryBurst, filled: time.Now()} }

// Earn is called for each request that might be sent again.
func (b *Budget) Earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = min(b.held+1.0/retryShare, retryBurst)
}

// Spend takes a retry; false when there is none.
func (b *Budget) Spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.held = min(b.held+retryRate*now.Sub(b.filled).Seconds(), retryBurst)
	b.filled = now
	if b.held < 1 {
		return false
	}
	b.held--
	return true
}
