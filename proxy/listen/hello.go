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
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The reader of a ClientHello: what a client says first, unencrypted, in a handshake of TLS (RFC 8446 section 4.1.2), of which
// the name of the host that it asks for is wanted (RFC 6066 section 3). The message may be split over several records, at any
// octet, and each record over several segments. No more is read than the records of the message, so that whoever takes the
// connection over finds the rest where it is, and is given what was read.

// maxHello bounds the records of a ClientHello, in bytes. Those of today's clients are below 2 KiB, also with post-quantum key shares.
const maxHello = 64 << 10

// errHello says that what a client sends is no ClientHello.
var errHello = errors.New("not a ClientHello")

const (
	recordHeader    = 5
	maxRecord       = 1 << 14 // RFC 8446 section 5.1: "The length MUST NOT exceed 2^14 bytes."
	recordHandshake = 22
	messageHeader   = 4
	messageHello    = 1
	extensionName   = 0
	nameHost        = 0
)

// readHello reads a ClientHello and gives the name that it asks for, in lower case, empty when it asks for none. read are the bytes
// of all records that were read, also with an error.
func readHello(from io.Reader) (read []byte, name string, err error) {
	var message []byte
	for {
		if len(read)+recordHeader > maxHello {
			return read, "", fmt.Errorf("%w: it is above %d bytes", errHello, maxHello)
		}
		if read, err = readPart(from, read, recordHeader); err != nil {
			return read, "", err
		}
		header := read[len(read)-recordHeader:]
		length := int(binary.BigEndian.Uint16(header[3:]))
		// RFC 8446 section 5.1: "Handshake messages MUST NOT be interleaved with other record types", and "Implementations MUST NOT
		// send zero-length fragments of Handshake types". Its version "MUST be ignored for all purposes".
		if header[0] != recordHandshake || length == 0 || length > maxRecord {
			return read, "", fmt.Errorf("%w: a record begins with %x", errHello, header)
		}
		if len(read)+length > maxHello {
			return read, "", fmt.Errorf("%w: it is above %d bytes", errHello, maxHello)
		}
		if read, err = readPart(from, read, length); err != nil {
			return read, "", err
		}
		message = joined(message, read[len(read)-length:])
		whole, err := wholeHello(message)
		if err != nil {
			return read, "", err
		}
		if whole != nil {
			name, err := serverName(whole)
			return read, name, err
		}
	}
}

// joined appends a record to the ones before. The first is not copied: there is mostly no other.
func joined(message, record []byte) []byte {
	if message == nil {
		return slices.Clip(record)
	}
	return append(message, record...)
}

// readPart appends as many bytes to read. Room is made as they come: who only announces much gets little.
func readPart(from io.Reader, read []byte, count int) ([]byte, error) {
	const step = 2 << 10
	for count > 0 {
		next := min(count, step)
		read = slices.Grow(read, next)
		n, err := io.ReadFull(from, read[len(read):len(read)+next])
		read = read[:len(read)+n]
		if err != nil {
			return read, err
		}
		count -= next
	}
	return read, nil
}

// wholeHello gives the body of the message once all of it is there; nil before.
func wholeHello(message []byte) ([]byte, error) {
	if message[0] != messageHello {
		return nil, fmt.Errorf("%w: a message of type %d", errHello, message[0])
	}
	if len(message) < messageHeader {
		return nil, nil
	}
	length := int(message[1])<<16 | int(message[2])<<8 | int(message[3])
	if length > maxHello {
		return nil, fmt.Errorf("%w: it is above %d bytes", errHello, maxHello)
	}
	if len(message) < messageHeader+length {
		return nil, nil
	}
	return message[messageHeader : messageHeader+length], nil
}

// fields reads the fields of a message in turn. After one that is not all there it is broken.
type fields struct {
	rest   []byte
	broken bool
}

// skip passes over as many bytes.
func (f *fields) skip(count int) { f.take(count) }

// vector reads a field that begins with its length, of as many bytes.
func (f *fields) vector(size int) []byte {
	length := 0
	for _, b := range f.take(size) {
		length = length<<8 | int(b)
	}
	return f.take(length)
}

func (f *fields) number() int {
	if number := f.take(2); number != nil {
		return int(binary.BigEndian.Uint16(number))
	}
	return 0
}

func (f *fields) take(count int) []byte {
	if f.broken || len(f.rest) < count {
		f.broken, f.rest = true, nil
		return nil
	}
	taken := f.rest[:count]
	f.rest = f.rest[count:]
	return taken
}

// serverName gives the name that the body of a ClientHello asks for.
func serverName(body []byte) (string, error) {
	f := fields{rest: body}
	f.skip(2 + 32) // legacy_version and random
	f.vector(1)    // legacy_session_id
	f.vector(2)    // cipher_suites
	f.vector(1)    // legacy_compression_methods
	if !f.broken && len(f.rest) == 0 {
		return "", nil // RFC 5246 section 7.4.1.2: extensions may be left out.
	}
	extensions := fields{rest: f.vector(2)}
	if f.broken || len(f.rest) > 0 {
		return "", fmt.Errorf("%w: its fields do not fill it", errHello)
	}
	name, named := "", false
	for len(extensions.rest) > 0 {
		kind, content := extensions.number(), extensions.vector(2)
		if extensions.broken {
			break
		}
		if kind != extensionName {
			continue
		}
		// RFC 8446 section 4.2: "There MUST NOT be more than one extension of the same type in a given extension block."
		if named {
			return "", fmt.Errorf("%w: two names are asked for", errHello)
		}
		var err error
		if name, err = hostName(content); err != nil {
			return "", err
		}
		named = true
	}
	if extensions.broken {
		return "", fmt.Errorf("%w: its extensions do not fill their field", errHello)
	}
	return name, nil
}

// hostName gives the host of a server_name extension.
func hostName(content []byte) (string, error) {
	f := fields{rest: content}
	list := fields{rest: f.vector(2)}
	if f.broken || len(f.rest) > 0 || len(list.rest) == 0 {
		return "", fmt.Errorf("%w: its list of names is malformed", errHello)
	}
	name := ""
	for len(list.rest) > 0 && !list.broken {
		kind, value := list.take(1), list.vector(2)
		if list.broken || len(value) == 0 {
			return "", fmt.Errorf("%w: a name is malformed", errHello)
		}
		if kind[0] != nameHost {
			continue
		}
		// RFC 6066 section 3: "The ServerNameList MUST NOT contain more than one name of the same name_type", and the host is
		// "represented as a byte string using ASCII encoding without a trailing dot".
		if name != "" || value[len(value)-1] == '.' {
			return "", fmt.Errorf("%w: a name is malformed", errHello)
		}
		name = lowerName(string(value))
	}
	return name, nil
}

// lowerName gives a name in lower case. RFC 6066 section 3: "DNS hostnames are case-insensitive", and ASCII. What is not stays as it
// came: there are letters whose lower case is one of another name.
func lowerName(name string) string {
	octets := []byte(name)
	for i, c := range octets {
		if 'A' <= c && c <= 'Z' {
			octets[i] = c + 'a' - 'A'
		}
	}
	return string(octets)
}
