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

package stream

import (
	"net"
	"testing"
	"time"
)

type nobody struct{}

func (nobody) RecordStream(Outcome) {}

// A stream is idle when nothing has come from either side, since it was last looked at with something new.
func TestIdle(t *testing.T) {
	p := New(nobody{}, Limits{IdleTimeout: time.Minute}).NewPort()
	client, far := net.Pipe()
	defer func() { _ = far.Close() }()
	s := &session{client: client}
	p.sessions[s] = struct{}{}
	at := time.Unix(1000, 0)
	for _, step := range []struct {
		after  time.Duration
		come   func()
		ends   bool
		reason string
	}{
		{0, func() {}, false, "it has just begun"},
		{59 * time.Second, func() {}, false, "it may be idle for a minute"},
		{time.Second, func() { s.up.bytes.Add(1) }, false, "the client has said something"},
		{59 * time.Second, func() { s.down.bytes.Add(1) }, false, "the endpoint has said something"},
		{59 * time.Second, func() {}, false, "since when it is not a minute"},
		{time.Second, func() {}, true, "now it is"},
	} {
		at = at.Add(step.after)
		step.come()
		if !p.look(at) {
			t.Fatal("there is a stream to be looked at")
		}
		if ends := s.reason == ReasonIdle; ends != step.ends {
			t.Errorf("ends: %t: %s", ends, step.reason)
		}
	}
	p.forget(s)
	if p.look(at) {
		t.Error("without streams there is nothing to look at")
	}
}

// Without a limit nothing is idle.
func TestNeverIdle(t *testing.T) {
	p := New(nobody{}, Limits{}).NewPort()
	client, far := net.Pipe()
	defer func() { _ = far.Close() }()
	s := &session{client: client}
	p.sessions[s] = struct{}{}
	p.look(time.Unix(1000, 0))
	p.look(time.Unix(1e9, 0))
	if s.reason != "" {
		t.Errorf("it was ended: %s", s.reason)
	}
}
