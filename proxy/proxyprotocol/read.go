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
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// ErrMalformed says that what comes is no header.
var ErrMalformed = errors.New("not a header of the PROXY protocol")

// Read reads a header, and not a byte more.
func Read(from io.Reader) (Header, error) {
	var buffer [maxLine]byte
	read, err := begin(from, buffer[:0])
	if err != nil {
		return Header{}, err
	}
	if read[0] == signature[0] {
		return readBinary(from, read)
	}
	return readLine(from, read)
}

// begin reads as much as every header has, and stops where it can be none.
func begin(from io.Reader, read []byte) ([]byte, error) {
	for len(read) < shortest {
		n, err := from.Read(read[len(read):shortest])
		read = read[:len(read)+n]
		if !begins(read, signature) && !begins(read, prefix) {
			return nil, fmt.Errorf("%w: it begins with %q", ErrMalformed, read)
		}
		if err != nil {
			return nil, ended(err)
		}
	}
	return read, nil
}

// begins says whether what was read can be, or go on, what begins with a text.
func begins(read []byte, with string) bool {
	size := min(len(read), len(with))
	return string(read[:size]) == with[:size]
}

// ended says that the peer left in the middle, where it did.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readLine reads the rest of a header of version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 40000 443" and the end of the line.
func readLine(from io.Reader, line []byte) (Header, error) {
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		// Never beyond the end, wherever that is: it has two bytes, of which one may be there.
		missing := 2
		if line[len(line)-1] == '\r' {
			missing = 1
		}
		if len(line)+missing > maxLine {
			return Header{}, fmt.Errorf("%w: a line of more than %d bytes", ErrMalformed, maxLine)
		}
		if _, err := io.ReadFull(from, line[len(line):len(line)+missing]); err != nil {
			return Header{}, ended(err)
		}
		line = line[:len(line)+missing]
	}
	return parseLine(string(line[len(prefix) : len(line)-2]))
}

func parseLine(line string) (Header, error) {
	fields := strings.Split(line, " ")
	// "For "UNKNOWN", the rest of the line before the CRLF may be omitted by the sender, and the receiver must ignore anything
	// presented before the CRLF is found."
	if fields[0] == "UNKNOWN" {
		return Header{}, nil
	}
	if len(fields) != 5 || fields[0] != "TCP4" && fields[0] != "TCP6" {
		return Header{}, fmt.Errorf("%w: %q", ErrMalformed, line)
	}
	source, err := endpoint(fields[0], fields[1], fields[3])
	if err != nil {
		return Header{}, err
	}
	destination, err := endpoint(fields[0], fields[2], fields[4])
	if err != nil {
		return Header{}, err
	}
	return Header{Source: source, Destination: destination}, nil
}

func endpoint(family, address, port string) (netip.AddrPort, error) {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Zone() != "" || ip.Is4() != (family == "TCP4") {
		return netip.AddrPort{}, fmt.Errorf("%w: %q is no address of %s", ErrMalformed, address, family)
	}
	// Without sign and leading zeros, so that nobody reads another number.
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(number, 10) != port {
		return netip.AddrPort{}, fmt.Errorf("%w: %q is no port", ErrMalformed, port)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(number)), nil
}

// readBinary reads the rest of a header of version 2.
func readBinary(from io.Reader, head []byte) (Header, error) {
	if _, err := io.ReadFull(from, head[len(head):fixed]); err != nil {
		return Header{}, ended(err)
	}
	head = head[:fixed]
	version, command, family := head[12]>>4, head[12]&0xf, head[13]
	rest := int(binary.BigEndian.Uint16(head[14:]))
	if version != 2 || command > commandProxy {
		return Header{}, fmt.Errorf("%w: version %d, command %d", ErrMalformed, version, command)
	}
	if rest > maxRest {
		return Header{}, fmt.Errorf("%w: %d bytes of addresses and what else is told, at most %d are taken", ErrMalformed, rest, maxRest)
	}
	size, err := addressesOf(command, family, rest)
	if err != nil {
		return Header{}, err
	}
	var addresses [addressesIPv6]byte
	if _, err := io.ReadFull(from, addresses[:size]); err != nil {
		return Header{}, ended(err)
	}
	if err := discard(from, rest-size); err != nil {
		return Header{}, err
	}
	return parseAddresses(addresses[:size]), nil
}

// addressesOf gives how many bytes of addresses are to be read. "LOCAL: [...] the receiver must accept this connection as valid
// and must use the real connection endpoints and discard the protocol block including the family which is ignored." Of the
// families that are none of TCP the same is done.
func addressesOf(command, family byte, rest int) (int, error) {
	size := 0
	switch {
	case command == commandLocal:
	case family == streamIPv4:
		size = addressesIPv4
	case family == streamIPv6:
		size = addressesIPv6
	case family>>4 > 3 || family&0xf > 2:
		// "other values are unassigned and must be rejected as invalid by receivers."
		return 0, fmt.Errorf("%w: family %#x", ErrMalformed, family)
	}
	if rest < size {
		return 0, fmt.Errorf("%w: %d bytes for addresses of %d", ErrMalformed, rest, size)
	}
	return size, nil
}

func parseAddresses(addresses []byte) Header {
	if len(addresses) == 0 {
		return Header{}
	}
	size := (len(addresses) - 4) / 2
	source, _ := netip.AddrFromSlice(addresses[:size])
	destination, _ := netip.AddrFromSlice(addresses[size : 2*size])
	ports := addresses[2*size:]
	return Header{
		Source:      netip.AddrPortFrom(source.Unmap(), binary.BigEndian.Uint16(ports)),
		Destination: netip.AddrPortFrom(destination.Unmap(), binary.BigEndian.Uint16(ports[2:])),
	}
}

// discard passes over as many bytes.
func discard(from io.Reader, count int) error {
	var passed [256]byte
	for count > 0 {
		n, err := from.Read(passed[:min(count, len(passed))])
		count -= n
		if err != nil && count > 0 {
			return ended(err)
		}
	}
	return nil
}
