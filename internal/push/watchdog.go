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

package push

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// watchdog ends a stream whose other end owes a sign of life for too long. It also covers a Send that blocks because
// the replica does not read, which nothing else would end as long as the connection answers.
type watchdog struct {
	patience time.Duration
	cancel   context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	// watch counts what was expected, so that a timer that fires late knows that it is not meant any more.
	watch int
}

func newWatchdog(patience time.Duration, cancel context.CancelCauseFunc) *watchdog {
	return &watchdog{patience: patience, cancel: cancel}
}

// expect begins to wait for something, instead of what was waited for before.
func (w *watchdog) expect(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop()
	watch := w.watch
	w.timer = time.AfterFunc(w.patience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.watch == watch {
			w.cancel(fmt.Errorf("waited %s for %s", w.patience, what))
		}
	})
}

// rest ends the waiting.
func (w *watchdog) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop()
}

func (w *watchdog) stop() {
	w.watch++
	if w.timer != nil {
		w.timer.Stop()
	}
}
