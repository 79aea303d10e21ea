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

package proxyprotocol

import "net/netip"

// Header is what a header says.
type Header struct {
	// Source is who connects, Destination what was connected to. Neither is valid where the header says nothing of them: the
	// connection then is the peer's own.
	Source, Destination netip.AddrPort
}

// Valid says whether the header tells for whom the connection is.
func (h Header) Valid() bool { return h.Source.IsValid() && h.Destination.IsValid() }

const (
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	prefix    = "PROXY "
	// shortest is as long as the shortest header: "PROXY UNKNOWN" and the end of its line.
	shortest = 15
	// maxLine with its end: "the receiver [...] should [...] not accept more than 107 chars".
	maxLine = 107
	// fixed is the part of a binary header before the addresses.
	fixed = 16
	// maxRest bounds what follows it, addresses and what else is told, which is passed over.
	maxRest = 4 << 10

	commandLocal, commandProxy = 0, 1
	streamIPv4, streamIPv6     = 0x11, 0x21
	addressesIPv4              = 4 + 4 + 2 + 2
	addressesIPv6              = 16 + 16 + 2 + 2
)
