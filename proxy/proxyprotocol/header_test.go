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
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

func header(source, destination string) Header {
	return Header{Source: netip.MustParseAddrPort(source), Destination: netip.MustParseAddrPort(destination)}
}

// binaryHeader is a header of version 2.
func binaryHeader(command, family byte, rest ...byte) string {
	return signature + string([]byte{0x20 | command, family, byte(len(rest) >> 8), byte(len(rest))}) + string(rest)
}

var four = []byte{192, 0, 2, 1, 192, 0, 2, 2, 0x9c, 0x40, 1, 0xbb}

func TestRead(t *testing.T) {
	known := header("192.0.2.1:40000", "192.0.2.2:443")
	six := append(append([]byte{0x20, 1, 0xd, 0xb8, 15: 1}, 0x20, 1, 0xd, 0xb8), append(make([]byte, 11), 2, 0, 1, 0xff, 0xff)...)
	tests := map[string]struct {
		sent   string
		want   Header
		reason string
	}{
		"TCP4":           {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n", known, "what HAProxy sends"},
		"TCP6":           {"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", header("[2001:db8::1]:1", "[2001:db8::2]:65535"), "the other family"},
		"mapped":         {"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 40000 443\r\n", known, "addresses have one form"},
		"longest":        {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65535\r\n", header("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535"), "no line of TCP6 is longer"},
		"unknown":        {"PROXY UNKNOWN\r\n", Header{}, "the shortest one: the peer speaks for itself"},
		"unknown and on": {"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", Header{}, "what follows is ignored"},
		"lone CR":        {"PROXY UNKNOWN a\rb\r\n", Header{}, "only both together end it"},
		"binary 4":       {binaryHeader(commandProxy, streamIPv4, four...), known, "version 2"},
		"binary 6":       {binaryHeader(commandProxy, streamIPv6, six...), header("[2001:db8::1]:1", "[2001:db8::2]:65535"), "the other family"},
		"what else":      {binaryHeader(commandProxy, streamIPv4, append(bytes.Clone(four), make([]byte, 600)...)...), known, "what else is told is passed over"},
		"most":           {binaryHeader(commandProxy, streamIPv4, append(bytes.Clone(four), make([]byte, maxRest-len(four))...)...), known, "as much as is taken"},
		"local":          {binaryHeader(commandLocal, streamIPv4, four...), Header{}, "a health check of the peer's own"},
		"local alone":    {binaryHeader(commandLocal, 0), Header{}, "likewise"},
		"local of any":   {binaryHeader(commandLocal, 0xff), Header{}, "the family is ignored"},
		"unspecified":    {binaryHeader(commandProxy, 0, 1, 2, 3), Header{}, "the real addresses are used"},
		"datagrams":      {binaryHeader(commandProxy, 0x12, four...), Header{}, "likewise"},
		"sockets":        {binaryHeader(commandProxy, 0x31, make([]byte, 216)...), Header{}, "likewise"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for kind, whole := range map[string]io.Reader{
				"at once":      strings.NewReader(test.sent + "\r\nfollows"),
				"byte by byte": iotest.OneByteReader(strings.NewReader(test.sent + "\r\nfollows")),
			} {
				got, err := Read(whole)
				if err != nil || got != test.want {
					t.Errorf("%s: got %v, %v, want %v: %s", kind, got, err, test.want, test.reason)
				}
				if rest, _ := io.ReadAll(whole); string(rest) != "\r\nfollows" {
					t.Errorf("%s: it leaves %q of what follows", kind, rest)
				}
			}
			for cut := range len(test.sent) {
				if _, err := Read(strings.NewReader(test.sent[:cut])); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("cut after %d bytes: got %v", cut, err)
				}
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	tests := map[string]struct{ sent, reason string }{
		"HTTP":              {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "a peer that sends none"},
		"TLS":               {"\x16\x03\x01\x02\x00\x01", "refused before as much has come as a header has"},
		"end of line":       {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\n" + strings.Repeat("x", 200), "it has two bytes"},
		"too long":          {"PROXY UNKNOWN " + strings.Repeat("x", maxLine), "107 bytes are enough for everything"},
		"family":            {"PROXY UDP4 192.0.2.1 192.0.2.2 40000 443\r\n", "there is no such one"},
		"case":              {"PROXY tcp4 192.0.2.1 192.0.2.2 40000 443\r\n", "nor in lower case"},
		"4 in 6":            {"PROXY TCP6 192.0.2.1 192.0.2.2 40000 443\r\n", "addresses are of the family"},
		"6 in 4":            {"PROXY TCP4 ::1 ::2 40000 443\r\n", "likewise"},
		"zone":              {"PROXY TCP6 fe80::1%eth0 ::2 40000 443\r\n", "it means nothing here"},
		"leading zero":      {"PROXY TCP4 192.0.2.01 192.0.2.2 40000 443\r\n", "heading zeroes are not permitted"},
		"port's zero":       {"PROXY TCP4 192.0.2.1 192.0.2.2 040000 443\r\n", "likewise"},
		"port":              {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 65536\r\n", "there is no such one"},
		"sign":              {"PROXY TCP4 192.0.2.1 192.0.2.2 +40000 443\r\n", "a number has none"},
		"spaces":            {"PROXY TCP4  192.0.2.1 192.0.2.2 40000 443\r\n", "one between two"},
		"missing":           {"PROXY TCP4 192.0.2.1 192.0.2.2 40000\r\n", "all four"},
		"more":              {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 443 \r\n", "and nothing else"},
		"version":           {signature + "\x11\x11\x00\x00", "only 2 is known"},
		"command":           {signature + "\x22\x11\x00\x0c" + string(four), "there are two"},
		"family of version": {binaryHeader(commandProxy, 0x41, four...), "unassigned and must be rejected"},
		"transport":         {binaryHeader(commandProxy, 0x13, four...), "likewise"},
		"short":             {binaryHeader(commandProxy, streamIPv4, four[:11]...), "the addresses are not all there"},
		"long":              {signature + "\x21\x11\x10\x01" + strings.Repeat("x", 5000), "what is passed over has an end"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := Read(strings.NewReader(test.sent)); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v, %v: %s", got, err, test.reason)
			}
		})
	}
}

func TestAppend(t *testing.T) {
	tests := map[string]struct {
		header Header
		line   string
		back   Header
		reason string
	}{
		"4":       {header("192.0.2.1:40000", "192.0.2.2:443"), "PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n", header("192.0.2.1:40000", "192.0.2.2:443"), "IPv4"},
		"6":       {header("[2001:db8::1]:1", "[::1]:2"), "PROXY TCP6 2001:db8::1 ::1 1 2\r\n", header("[2001:db8::1]:1", "[::1]:2"), "IPv6"},
		"both":    {header("192.0.2.1:40000", "[::1]:2"), "PROXY TCP6 ::ffff:192.0.2.1 ::1 40000 2\r\n", header("192.0.2.1:40000", "[::1]:2"), "one family has room for either"},
		"nothing": {Header{}, "PROXY UNKNOWN\r\n", Header{}, "not known"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			line := Append([]byte("x"), 1, test.header)
			if string(line) != "x"+test.line {
				t.Errorf("got %q, want %q: %s", line, test.line, test.reason)
			}
			for version, sent := range map[int][]byte{1: line[1:], 2: Append(nil, 2, test.header)} {
				if got, err := Read(bytes.NewReader(sent)); err != nil || got != test.back {
					t.Errorf("version %d is read as %v, %v, want %v: %s", version, got, err, test.back, test.reason)
				}
			}
		})
	}
}

// FuzzRead shows that no header is read beyond its bounds or its end, and that what is read is written so that it is read again.
func FuzzRead(f *testing.F) {
	for _, sent := range []string{
		"PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n", "PROXY TCP6 2001:db8::1 ::1 1 2\r\nx", "PROXY UNKNOWN a b\r\n",
		binaryHeader(commandProxy, streamIPv4, append(bytes.Clone(four), 1, 2, 3)...), binaryHeader(commandProxy, streamIPv6, make([]byte, addressesIPv6)...),
		binaryHeader(commandLocal, 0), binaryHeader(commandProxy, 0x31, make([]byte, 216)...), "GET / HTTP/1.1\r\n\r\n",
	} {
		f.Add([]byte(sent))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		source := bytes.NewReader(sent)
		got, err := Read(source)
		used := len(sent) - source.Len()
		if used > fixed+maxRest {
			t.Fatalf("%d bytes were read", used)
		}
		if slow, again := Read(iotest.OneByteReader(bytes.NewReader(sent))); slow != got || (again == nil) != (err == nil) {
			t.Fatalf("at once it is %v, %v; byte by byte %v, %v", got, err, slow, again)
		}
		if err != nil {
			return
		}
		// Whatever follows, it is read in the same way, and left where it is.
		more := bytes.NewReader(append(bytes.Clone(sent[:used]), "\r\nmore"...))
		if again, err := Read(more); err != nil || again != got || more.Len() != len("\r\nmore") {
			t.Fatalf("with more behind it is %v, %v, and %d bytes are left", again, err, more.Len())
		}
		for version := 1; version <= 2; version++ {
			if again, err := Read(bytes.NewReader(Append(nil, version, got))); err != nil || again != got {
				t.Fatalf("version %d of %v is read as %v, %v", version, got, again, err)
			}
		}
	})
}
