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

package proxy

import (
	"runtime"
	"testing"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// What a proxy starts ends with it: sockets, sessions, timers and connections to endpoints.
func TestNothingIsLeftAfterClose(t *testing.T) {
	ca, backend := testca.New(t), echo(t, "x")
	round := func(t *testing.T) {
		folder := t.TempDir()
		p := start(t, nil, withAdmin(t, ca, folder), func(c *Config) { c.Bootstrap.State.Directory = folder })
		stream, _ := session(t, p, ca)
		push(t, stream, 1, new(table).listener("listener/http", 80, "").listener("listener/more", 81, "").
			backend("x", backend).route("r", "listener/http", "/", "x"))
		get(t, client(t), address(t, p, 80), "h", "/")
		p.Close()
	}
	t.Run("once", round) // What is made once in a process is made by now.
	before := runtime.NumGoroutine()
	for range 5 {
		t.Run("again", round)
	}
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
}
