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

package datagram

import "time"

// queue holds sessions, that which was idle for longest first.
type queue struct{ oldest, newest *session }

// links are a session's place in a queue.
type links struct {
	in           *queue // nil when it is in none
	older, newer *session
	last         time.Duration // when something came, on the clock of Ports
}

// touch makes a session the newest of a queue, wherever it was.
func (q *queue) touch(s *session, now time.Duration) {
	s.last = now
	if s.in == q && q.newest == s {
		return
	}
	s.leave()
	s.in, s.older, s.newer = q, q.newest, nil
	if q.newest != nil {
		q.newest.newer = s
	}
	q.newest = s
	if q.oldest == nil {
		q.oldest = s
	}
}

// idle gives the session that was idle for longest, if that is as long as given.
func (q *queue) idle(now, least time.Duration) *session {
	if q.oldest == nil || now-q.oldest.last < least {
		return nil
	}
	return q.oldest
}

func (s *session) leave() {
	if s.in == nil {
		return
	}
	if s.in.oldest == s {
		s.in.oldest = s.newer
	}
	if s.in.newest == s {
		s.in.newest = s.older
	}
	if s.older != nil {
		s.older.newer = s.newer
	}
	if s.newer != nil {
		s.newer.older = s.older
	}
	s.in, s.older, s.newer = nil, nil, nil
}
