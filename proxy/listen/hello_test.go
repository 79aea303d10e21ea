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

package listen

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/iotest"
	"time"
)

// helloOf gives the records of the ClientHello that crypto/tls sends.
func helloOf(t testing.TB, config *tls.Config) []byte {
	t.Helper()
	client, server := net.Pipe()
	defer func() { _ = client.Close() }()
	go func() { _ = tls.Client(client, config).Handshake() }()
	header := make([]byte, recordHeader)
	if _, err := io.ReadFull(server, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(header[3])<<8|int(header[4]))
	if _, err := io.ReadFull(server, body); err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	return slices.Concat(header, body)
}

// split gives the message of one record in records of at most size bytes.
func split(record []byte, size int) []byte {
	var records []byte
	for body := record[recordHeader:]; len(body) > 0; {
		n := min(size, len(body))
		records = append(append(records, recordHandshake, 3, 1, byte(n>>8), byte(n)), body[:n]...)
		body = body[n:]
	}
	return records
}

// handshakeMessage gives a handshake message in one record.
func handshakeMessage(kind byte, body ...byte) []byte {
	whole := append([]byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
	return append([]byte{recordHandshake, 3, 1, byte(len(whole) >> 8), byte(len(whole))}, whole...)
}

// helloWith gives a ClientHello with the given bytes in the place of its extensions, lengths included.
func helloWith(extensions ...byte) []byte {
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0, 0, 2, 0x13, 1, 1, 0)
	return handshakeMessage(messageHello, append(body, extensions...)...)
}

// nameExtension is a field of extensions with a list of names, given without its length.
func nameExtension(list ...byte) []byte {
	list = append([]byte{byte(len(list) >> 8), byte(len(list))}, list...)
	content := append([]byte{0, extensionName, byte(len(list) >> 8), byte(len(list))}, list...)
	return append([]byte{byte(len(content) >> 8), byte(len(content))}, content...)
}

func TestReadHello(t *testing.T) {
	ordinary := helloOf(t, &tls.Config{ServerName: "a.test", NextProtos: []string{"h2"}, InsecureSkipVerify: true})
	twice := nameExtension(0, 0, 1, 'a')[2:]
	twice = append([]byte{0, byte(2 * len(twice))}, append(twice, twice...)...)
	tests := map[string]struct {
		sent   []byte
		name   string
		fails  bool
		reason string
	}{
		"ordinary":          {ordinary, "a.test", false, "what a client sends"},
		"TLS 1.2":           {helloOf(t, &tls.Config{ServerName: "a.test", MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true}), "a.test", false, "an older client"},
		"one byte a record": {split(ordinary, 1), "a.test", false, "a message may be split anywhere"},
		"split in its head": {split(ordinary, 3), "a.test", false, "also in its length"},
		"upper case":        {helloOf(t, &tls.Config{ServerName: "A.Test", InsecureSkipVerify: true}), "a.test", false, "hosts are compared without regard to case"},
		"not ASCII":         {helloWith(nameExtension(append([]byte{0, 0, 7}, "\u212a.\xff\xc3\x84"...)...)...), "\u212a.\xff\xc3\x84", false, "its bytes are nobody's lower case: the Kelvin sign is no k"},
		"no name":           {helloOf(t, &tls.Config{InsecureSkipVerify: true}), "", false, "an old client, or one that asks for an address"},
		"no extensions":     {helloWith(), "", false, "they may be left out"},
		"other name types":  {helloWith(nameExtension(7, 0, 1, 'x', 0, 0, 1, 'a')...), "a", false, "only hosts count"},
		"two hosts":         {helloWith(nameExtension(0, 0, 1, 'x', 0, 0, 1, 'a')...), "", true, "which one would not be known"},
		"two extensions":    {helloWith(twice...), "", true, "which one would not be known"},
		"trailing dot":      {helloWith(nameExtension(0, 0, 2, 'a', '.')...), "", true, "it must have none"},
		"empty host":        {helloWith(nameExtension(0, 0, 0)...), "", true, "a name has a character"},
		"empty list":        {helloWith(nameExtension()...), "", true, "a list has a name"},
		"list too long":     {helloWith(nameExtension(0, 0, 9, 'a')...), "", true, "a length that goes beyond"},
		"bytes behind":      {helloWith(append(nameExtension(0, 0, 1, 'a'), 1)...), "", true, "fields have to fill the message"},
		"cut fields":        {handshakeMessage(messageHello, 3, 3, 1), "", true, "the message is shorter than its fields"},
		"another message":   {handshakeMessage(2, make([]byte, 40)...), "", true, "a ServerHello"},
		"HTTP":              {[]byte("GET / HTTP/1.1\r\n\r\n"), "", true, "no TLS at all"},
		"SSL 2":             {[]byte{0x80, 0x2e, 1, 3, 1, 0, 0, 0}, "", true, "nobody should speak it"},
		"empty record":      {[]byte{recordHandshake, 3, 1, 0, 0, 1}, "", true, "fragments have a byte"},
		"record too long":   {append([]byte{recordHandshake, 3, 1, 0x40, 1, 1}, make([]byte, 1<<15)...), "", true, "above 2^14"},
		"another record":    {append(split(ordinary, 100)[:105], 23, 3, 3, 0, 1, 0), "", true, "nothing may come between"},
		"announced too long": {append([]byte{recordHandshake, 3, 1, 0, 5, messageHello}, 1, 0, 1, 0), "", true,
			"it is refused before it is read"},
		"too many records": {split(handshakeMessage(messageHello, make([]byte, 15<<10)...), 1), "", true, "heads of records count as well"},
		"end":              {ordinary[:len(ordinary)-1], "", true, "the client has left"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sent := append(bytes.Clone(test.sent), "what follows"...)
			source := bytes.NewReader(sent)
			if name == "end" {
				source = bytes.NewReader(test.sent)
			}
			read, got, err := readHello(iotest.OneByteReader(source))
			if got != test.name || (err != nil) != test.fails {
				t.Fatalf("got %q, %v, want %q: %s", got, err, test.name, test.reason)
			}
			if !bytes.HasPrefix(sent, read) || len(read) > maxHello {
				t.Errorf("it is given %d bytes that were not sent so", len(read))
			}
			if err == nil && len(read) != len(test.sent) {
				t.Errorf("%d bytes were read of a hello of %d", len(read), len(test.sent))
			}
		})
	}
}

// recorded is a connection that has come with all its bytes, and goes no further.
type recorded struct {
	net.Conn
	io.Reader
}

var errStop = errors.New("stop")

func (r recorded) Read(p []byte) (int, error)     { return r.Reader.Read(p) }
func (recorded) Write(p []byte) (int, error)      { return len(p), nil }
func (recorded) Close() error                     { return nil }
func (recorded) SetDeadline(time.Time) error      { return nil }
func (recorded) SetWriteDeadline(time.Time) error { return nil }
func (recorded) SetReadDeadline(time.Time) error  { return nil }

const recordAlert = 21

// FuzzHello compares with crypto/tls: a hello that it takes is taken here, and asks for the same name.
func FuzzHello(f *testing.F) {
	for _, config := range []*tls.Config{
		{ServerName: "a.test", InsecureSkipVerify: true},
		{ServerName: "www.example.com", NextProtos: []string{"h2", "http/1.1"}, InsecureSkipVerify: true},
		{ServerName: "b.test", MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true},
		{InsecureSkipVerify: true},
	} {
		f.Add(helloOf(f, config))
		f.Add(split(helloOf(f, config), 50))
	}
	f.Add(helloWith(nameExtension(7, 0, 1, 'x', 0, 0, 1, 'a')...))
	f.Add(helloWith(nameExtension(0, 0, 2, 'a', '.')...))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		read, name, err := readHello(bytes.NewReader(sent))
		if !bytes.HasPrefix(sent, read) || len(read) > maxHello {
			t.Fatalf("%d bytes were read that were not sent so", len(read))
		}
		if err == nil && name != lowerName(name) {
			t.Errorf("%q is not in lower case", name)
		}
		asked, called := "", false
		_ = tls.Server(recorded{Reader: bytes.NewReader(sent)}, &tls.Config{
			GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				asked, called = hello.ServerName, true
				return nil, errStop
			},
		}).Handshake()
		// crypto/tls passes over warnings that come between; RFC 8446 section 5.1 has nothing come between.
		if err != nil && len(read) >= recordHeader && read[len(read)-recordHeader] == recordAlert {
			return
		}
		if called && (err != nil || name != lowerName(asked)) {
			t.Errorf("crypto/tls takes it as asking for %q, here it is %q, %v", asked, name, err)
		}
	})
}
