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

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Append appends a header of a version, 1 or 2, to bytes. One that is not valid says that nothing is known of the client.
func Append(to []byte, version int, h Header) []byte {
	source, destination := h.Source, h.Destination
	if h.Valid() && source.Addr().Is4() != destination.Addr().Is4() {
		// One family for both: that which has room for either.
		source, destination = mapped(source), mapped(destination)
	}
	if version == 1 {
		return appendLine(to, h.Valid(), source, destination)
	}
	to = append(to, signature...)
	if !h.Valid() {
		return append(to, 0x20|commandProxy, 0, 0, 0) // UNSPEC
	}
	if source.Addr().Is4() {
		to = append(to, 0x20|commandProxy, streamIPv4, 0, addressesIPv4)
	}
	if source.Addr().Is6() {
		to = append(to, 0x20|commandProxy, streamIPv6, 0, addressesIPv6)
	}
	to = append(to, source.Addr().AsSlice()...)
	to = append(to, destination.Addr().AsSlice()...)
	to = binary.BigEndian.AppendUint16(to, source.Port())
	return binary.BigEndian.AppendUint16(to, destination.Port())
}

func mapped(address netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(address.Addr().As16()), address.Port())
}

func appendLine(to []byte, valid bool, source, destination netip.AddrPort) []byte {
	if !valid {
		return append(to, "PROXY UNKNOWN\r\n"...)
	}
	to = append(to, "PROXY TCP6 "...)
	if source.Addr().Is4() {
		to[len(to)-2] = '4'
	}
	to = append(source.Addr().WithZone("").AppendTo(to), ' ')
	to = append(destination.Addr().WithZone("").AppendTo(to), ' ')
	to = append(strconv.AppendUint(to, uint64(source.Port()), 10), ' ')
	return append(strconv.AppendUint(to, uint64(destination.Port()), 10), "\r\n"...)
}
