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

package main

import (
	"fmt"
	"net/netip"
)

// pool hands out the addresses of load balancers. The part of its range from static on is handed out only to those who
// ask for a particular address. It goes round the range before it hands an address out again, so that a client with an
// old connection does not meet a new Service.
type pool struct {
	prefix netip.Prefix
	static netip.Addr
	owner  map[netip.Addr]string // Service key by address
	last   netip.Addr
}

func newPool(prefix, static string) *pool {
	parsed := netip.MustParsePrefix(prefix)
	return &pool{prefix: parsed, static: netip.MustParseAddr(static), owner: map[netip.Addr]string{}, last: parsed.Addr()}
}

// usable tells whether the pool may hand the address out: it is in the range, and neither its first nor its last.
func (p *pool) usable(address netip.Addr) bool {
	return p.prefix.Contains(address) && address != p.prefix.Masked().Addr() && p.prefix.Contains(address.Next())
}

// claim gives a particular address to an owner. Claiming an own address again is harmless.
func (p *pool) claim(owner string, address netip.Addr) error {
	if !p.usable(address) {
		return fmt.Errorf("address %s is not in the range %s", address, p.prefix)
	}
	if holder, ok := p.owner[address]; ok && holder != owner {
		return fmt.Errorf("address %s belongs to Service %s", address, holder)
	}
	p.owner[address] = owner
	return nil
}

// next gives some free address to an owner.
func (p *pool) next(owner string) (netip.Addr, error) {
	candidate := p.last
	for tried := 0; tried < 1<<(32-p.prefix.Bits()); tried++ {
		candidate = candidate.Next()
		if !p.usable(candidate) || !candidate.Less(p.static) {
			candidate = p.prefix.Masked().Addr()
			continue
		}
		if _, taken := p.owner[candidate]; !taken {
			p.owner[candidate], p.last = owner, candidate
			return candidate, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("no address is free in the range %s below %s", p.prefix, p.static)
}

// release frees all addresses of an owner.
func (p *pool) release(owner string) {
	for address, holder := range p.owner {
		if holder == owner {
			delete(p.owner, address)
		}
	}
}

// keep frees the addresses of owners that are not in the set.
func (p *pool) keep(owners map[string]bool) {
	for address, holder := range p.owner {
		if !owners[holder] {
			delete(p.owner, address)
		}
	}
}
