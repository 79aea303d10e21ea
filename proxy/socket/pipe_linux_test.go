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
	"runtime"
	"testing"
	"time"
)

// Pipes that nobody uses give their descriptors back in the end.
func TestUnusedPipesAreClosed(t *testing.T) {
	before := opened.Load()
	for range 8 {
		p := TakePipe()
		if p == nil {
			t.Skip("there are no pipes here")
		}
		p.Release()
		if p = TakePipe(); p != nil {
			_ = p // Forgotten, as by a connection whose handler has panicked.
		}
	}
	for until := time.Now().Add(time.Minute); opened.Load() > before; runtime.GC() {
		if time.Now().After(until) {
			t.Fatalf("%d pipes are open, %d before", opened.Load(), before)
		}
	}
}
