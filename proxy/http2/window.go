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

import "golang.org/x/net/http2"

// awaitWindow waits until some of size bytes may be sent, and gives how many; the lock is held.
func (s *half) awaitWindow(size int) (int, error) {
	l := s.link
	for {
		if !s.makeRoom() || s.over || s.stalled {
			return 0, s.failure()
		}
		if size == 0 {
			return 0, nil // Windows may be negative, and an end needs none.
		}
		n := int(min(int64(size), int64(l.peer.maxFrame), s.window, l.peer.conn))
		if n > 0 {
			return n, nil
		}
		if l.out.pending != nil && !l.out.writing {
			l.flush(false) // The client opens windows for what it has read.
			continue
		}
		if !s.body.tunnel {
			s.blocked = clock()
		}
		s.wake.Wait()
		s.blocked = 0
	}
}

// sendData appends a frame of content; the lock is held.
func (s *half) sendData(p []byte, end bool) {
	l := s.link
	flags := http2.Flags(0)
	if end {
		flags = http2.FlagDataEndStream
	}
	out := appendFrameHead(l.out.append(), len(p), http2.FrameData, flags, s.id)
	l.out.put(append(out, p...))
	s.window -= int64(len(p))
	l.peer.conn -= int64(len(p))
	l.budget.earn(earnData)
}
