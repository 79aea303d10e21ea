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

package forward

import (
	"strconv"
	"strings"
	"unsafe"

	"github.com/rauta-dev/rauta/proxy/message"
)

// origin tells an endpoint where a request came from: X-Forwarded-For, -Proto, -Host and -Port, and Forwarded (RFC 7239).
// It makes what it has to write in memory that it keeps for the next request; the request's fields alias it.
type origin struct{ scratch []byte }

// mark sets the fields. Of what the request says itself nothing is believed with 0 hops; else, of the lists, as many
// entries from the right as there are proxies in front of this one, and what the nearest of them says of the rest.
func (o *origin) mark(request *message.Request, port uint16, hops int) {
	fields := &request.Fields
	client := request.ClientText
	if client == "" {
		client = request.Client.Addr().Unmap().WithZone("").String()
	}
	digits, element := o.write(request, client, port)
	if hops == 0 {
		fields.RemoveFunc(tellsOrigin)
		fields.Add("X-Forwarded-For", client)
		fields.Add("Forwarded", element)
	} else {
		fields.Set("X-Forwarded-For", behind(rightmost(joined(fields, "X-Forwarded-For"), hops, false), client))
		fields.Set("Forwarded", behind(rightmost(joined(fields, "Forwarded"), hops, true), element))
	}
	addUnlessSaid(fields, "X-Forwarded-Proto", request.Scheme)
	addUnlessSaid(fields, "X-Forwarded-Host", request.Authority)
	addUnlessSaid(fields, "X-Forwarded-Port", digits)
}

// write makes the port's digits and this proxy's element of Forwarded.
func (o *origin) write(request *message.Request, client string, port uint16) (digits, element string) {
	b := strconv.AppendUint(o.scratch[:0], uint64(port), 10)
	split := len(b)
	b = append(b, "for="...)
	// RFC 7239 section 6: "an IPv6 address is always enclosed in square brackets", and then quoted.
	if strings.IndexByte(client, ':') >= 0 {
		b = append(b, `"[`...)
		b = append(b, client...)
		b = append(b, `]"`...)
	} else {
		b = append(b, client...)
	}
	if request.Authority != "" {
		b = append(b, ";host="...)
		b = appendQuoted(b, request.Authority)
	}
	b = append(b, ";proto="...)
	b = append(b, request.Scheme...)
	o.scratch = b
	whole := unsafe.String(unsafe.SliceData(b), len(b))
	return whole[:split], whole[split:]
}

// appendQuoted writes a value, as a quoted-string where it is no token: with a port, or an IPv6 address.
func appendQuoted(to []byte, value string) []byte {
	if !strings.ContainsAny(value, ":[]()<>@,;\\\"/?={} \t") {
		return append(to, value...)
	}
	to = append(to, '"')
	for i := range len(value) {
		if value[i] == '"' || value[i] == '\\' {
			to = append(to, '\\')
		}
		to = append(to, value[i])
	}
	return append(to, '"')
}

func addUnlessSaid(fields *message.Fields, name, value string) {
	if _, said := fields.Get(name); !said && value != "" {
		fields.Add(name, value)
	}
}

func behind(list, last string) string {
	if list == "" {
		return last
	}
	return list + ", " + last
}

// joined is the list of all lines of a name.
func joined(fields *message.Fields, name string) string {
	list := ""
	for i := range fields.Len() {
		if lineName, value := fields.Line(i); message.EqualNames(lineName, name) && value != "" {
			list = behind(list, value)
		}
	}
	return list
}

// rightmost gives the last entries of a list. It reads from the right, where the entries of proxies that are believed
// are: a quotation mark that a client left open further left must not swallow them.
func rightmost(list string, entries int, quoted bool) string {
	inside := false
	for i := len(list) - 1; i >= 0; i-- {
		if quoted && list[i] == '"' && (i == 0 || list[i-1] != '\\') {
			inside = !inside
		}
		if list[i] != ',' || inside {
			continue
		}
		if entries--; entries == 0 {
			return strings.TrimSpace(list[i+1:])
		}
	}
	return strings.TrimSpace(list)
}

func tellsOrigin(name string) bool {
	switch len(name) {
	case len("Forwarded"):
		return message.EqualNames(name, "Forwarded")
	case len("X-Forwarded-For"):
		return message.EqualNames(name, "X-Forwarded-For")
	case len("X-Forwarded-Host"):
		return message.EqualNames(name, "X-Forwarded-Host") || message.EqualNames(name, "X-Forwarded-Port")
	case len("X-Forwarded-Proto"):
		return message.EqualNames(name, "X-Forwarded-Proto")
	}
	return false
}
