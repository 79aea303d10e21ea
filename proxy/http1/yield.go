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
	"runtime"
	"sync/atomic"
)

// Whoever is about to wait for its peer lets those go first who can run. While they do, what is waited for often comes, and
// an attempt to read that is too early, a wait and a wake-up are saved: about a tenth of a small request's CPU.
//
// The hard case is fairness: as long as somebody can run, the scheduler does not ask the poller who else could. So there
// are only so many yields until somebody has come back from waiting, which shows that the poller has been asked. 64 of them
// cost those who wait less than a millisecond; without a bound they waited for up to ten.

const maxYields = 64

// yields since somebody came back from waiting.
var yields atomic.Int32

// yield is called before an attempt to read that is likely to be too early. It is false when nobody else ran, as far as can be
// seen: whoever runs yields or has come back from waiting. What is waited for has hardly come then.
func yield() bool {
	if yields.Load() >= maxYields {
		return false
	}
	own := yields.Add(1)
	runtime.Gosched()
	return yields.Load() != own
}

// woken is called by whoever comes back from waiting.
func woken() {
	if yields.Load() != 0 {
		yields.Store(0)
	}
}
