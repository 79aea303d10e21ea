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

package filter

import (
	"strconv"
	"strings"

	"github.com/rauta-dev/rauta/proxy/message"
)

// Origin is a set of origins (RFC 6454).
type Origin struct {
	Any bool
	// Scheme and Host in lower case. With Below, Host is a suffix, empty for any host.
	Scheme, Host string
	Below        bool
	Port         uint16
}

// CORS answers preflights and marks the responses to cross-origin requests.
type CORS struct {
	Origins     []Origin
	Credentials bool
	// Methods and Headers that are allowed and headers that are Exposed; "*" alone for any.
	Methods, Headers, Exposed []string
	// MaxAge in seconds.
	MaxAge uint32

	// What is written, made once.
	methods, headers, exposed, maxAge string
}

// Ready makes what is written.
func (c *CORS) Ready() *CORS {
	c.methods, c.headers = strings.Join(c.Methods, ", "), strings.Join(c.Headers, ", ")
	c.exposed, c.maxAge = strings.Join(c.Exposed, ", "), strconv.FormatUint(uint64(c.MaxAge), 10)
	return c
}

// Apply answers a preflight: an OPTIONS request with an origin and the method that is asked for. HTTPCORSFilter: "If the
// request `Origin` does not match the configured allowed origins, the gateway returns 204/200 response but doesn't set the
// relevant cross-origin response headers."
func (c *CORS) Apply(x *Exchange) *message.Response {
	fields := &x.Request.Fields
	origin, crosses := fields.Get("Origin")
	if !crosses {
		return nil
	}
	x.Origin = origin
	method, asks := fields.Get("Access-Control-Request-Method")
	if x.Request.Method != "OPTIONS" || !asks {
		return nil
	}
	response := &message.Response{Status: 204}
	if !c.allows(origin) {
		return response
	}
	add := func(name, value string) {
		if value != "" {
			response.Fields.Add(name, value)
		}
	}
	add("Access-Control-Allow-Methods", c.allowed(c.methods, method))
	headers, _ := fields.Get("Access-Control-Request-Headers")
	add("Access-Control-Allow-Headers", c.allowed(c.headers, headers))
	add("Access-Control-Max-Age", c.maxAge)
	return response
}

// allowed is what is said of a list: with credentials "*" would be a name (the Fetch standard, section 3.3.5), so that what
// was asked for is echoed; and without, it would not cover Authorization.
func (c *CORS) allowed(list, asked string) string {
	if list != "*" {
		return list
	}
	if asked == "" && !c.Credentials {
		return "*"
	}
	return asked
}

// allows says whether a request of that origin may see responses.
func (c *CORS) allows(origin string) bool {
	for i := range c.Origins {
		if c.Origins[i].takes(origin) {
			return true
		}
	}
	return false
}

// takes compares a serialized origin, whose port is left out where it is that of the scheme.
func (o *Origin) takes(origin string) bool {
	if o.Any {
		return true
	}
	scheme, authority, found := strings.Cut(origin, "://")
	if !found || !message.EqualNames(scheme, o.Scheme) {
		return false
	}
	host, port := hostOf(authority), wellKnown(o.Scheme)
	if len(host) < len(authority) {
		number, err := strconv.ParseUint(authority[len(host)+1:], 10, 16)
		if err != nil {
			return false
		}
		port = uint16(number)
	}
	if port != o.Port {
		return false
	}
	if !o.Below {
		return message.EqualNames(host, o.Host)
	}
	return len(host) > len(o.Host) && message.EqualNames(host[len(host)-len(o.Host):], o.Host)
}

// Marks is the filter of the responses.
func (c *CORS) Marks() *CORSMarks { return &CORSMarks{c} }

// CORSMarks says who may see a response. It has the last word: what the backend says is replaced.
type CORSMarks struct{ cors *CORS }

// Apply changes the section.
func (m *CORSMarks) Apply(x *Exchange, fields *message.Fields) {
	c := m.cors
	anybody := len(c.Origins) == 1 && c.Origins[0].Any && !c.Credentials
	// A cache must not give one origin what was meant for another, whoever asked first (the Fetch standard, section 3.3.6).
	if !anybody {
		addVary(fields)
	}
	if x.Origin == "" {
		return
	}
	fields.Remove("Access-Control-Allow-Origin")
	fields.Remove("Access-Control-Allow-Credentials")
	fields.Remove("Access-Control-Expose-Headers")
	if !c.allows(x.Origin) {
		return
	}
	if anybody {
		fields.Add("Access-Control-Allow-Origin", "*")
	} else {
		fields.Add("Access-Control-Allow-Origin", x.Origin)
	}
	if c.Credentials {
		fields.Add("Access-Control-Allow-Credentials", "true")
	}
	if c.exposed != "" && (c.exposed != "*" || !c.Credentials) {
		fields.Add("Access-Control-Expose-Headers", c.exposed)
	}
}

func addVary(fields *message.Fields) {
	for i := range fields.Len() {
		name, value := fields.Line(i)
		if !message.EqualNames(name, "Vary") {
			continue
		}
		for member := range strings.SplitSeq(value, ",") {
			if member = strings.TrimSpace(member); member == "*" || message.EqualNames(member, "Origin") {
				return
			}
		}
	}
	fields.Add("Vary", "Origin")
}
