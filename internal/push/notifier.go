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
	"maps"
	"slices"
	"sync"
)

// notifier tells of changed Gateways, one call at a time and outside every lock. Changes that come while a call is
// under way are collected.
type notifier struct {
	call func(Key)
	wake chan struct{}

	mu      sync.Mutex
	changed map[Key]struct{}
}

func newNotifier(call func(Key)) *notifier {
	if call == nil {
		call = func(Key) {}
	}
	return &notifier{call: call, wake: make(chan struct{}, 1), changed: map[Key]struct{}{}}
}

// note remembers a change. It never blocks.
func (n *notifier) note(key Key) {
	n.mu.Lock()
	n.changed[key] = struct{}{}
	n.mu.Unlock()
	wake(n.wake)
}

func (n *notifier) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		for _, key := range n.take() {
			if ctx.Err() != nil {
				return
			}
			n.call(key)
		}
	}
}

func (n *notifier) take() []Key {
	n.mu.Lock()
	defer n.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(n.changed), compareKeys)
	clear(n.changed)
	return keys
}

// wake rings a bell that holds one ring.
func wake(bell chan<- struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
