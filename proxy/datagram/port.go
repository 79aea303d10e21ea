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

import "sync/atomic"

// fairness is how many times what is free a port may have of the sessions while there are other ports.
const fairness = 4

// port is a bound port.
type port struct {
	ports    *Ports
	number   uint16
	planned  Port
	route    *route
	lanes    []*lane
	serving  bool
	sessions atomic.Int64
}

// swap gives the port what is planned for it now.
func (p *port) swap(planned Port) {
	if p.route != nil && p.planned.same(planned) {
		return
	}
	p.planned, p.route = planned, newRoute(planned, p.route)
	for _, l := range p.lanes {
		l.swap(p.route)
	}
}

// admit takes the room of one more session; false when there is none.
func (p *port) admit() bool {
	all := &p.ports.tally.sessions
	for {
		taken := all.Load()
		free := p.ports.most.Load() - taken
		if free <= 0 || p.ports.several.Load() && p.sessions.Load() >= fairness*free {
			return false
		}
		if all.CompareAndSwap(taken, taken+1) {
			p.sessions.Add(1)
			return true
		}
	}
}

// release gives the room of a session back.
func (p *port) release() {
	p.sessions.Add(-1)
	p.ports.tally.sessions.Add(-1)
}

func (p *port) close() {
	for _, l := range p.lanes {
		l.close()
	}
}
