//go:build !linux

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

import (
	"errors"
	"net/netip"
	"time"
)

// errSystem is what binding a port of UDP ends with elsewhere than on Linux.
var errSystem = errors.New("datagrams are relayed on Linux alone")

type (
	lane    struct{}
	session struct{ links }
	box     struct{}
)

func newBox() *box { return &box{} }

func newLanes(*port, string, int) ([]*lane, error) { return nil, errSystem }

func (*lane) addr() netip.AddrPort               { return netip.AddrPort{} }
func (*lane) run() error                         { return errSystem }
func (*lane) swap(*route)                        {}
func (*lane) sweep(time.Duration, time.Duration) {}
func (*lane) close()                             {}
