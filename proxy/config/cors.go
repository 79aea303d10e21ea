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

package config

import (
	"strconv"
	"strings"
)

// CORS answers preflights and marks responses to cross-origin requests.
type CORS struct {
	// AllowOrigins: "*" alone, or scheme://host[:port], whose host may be "*" or begin with "*.".
	AllowOrigins                              []string
	AllowCredentials                          bool
	AllowMethods, AllowHeaders, ExposeHeaders []string
	// MaxAge in seconds.
	MaxAge uint32
	// Origins are AllowOrigins taken apart; Compile sets them in the plan.
	Origins []CORSOrigin
}

// CORSOrigin is a set of origins (RFC 6454).
type CORSOrigin struct {
	// Any origin, of whatever scheme.
	Any bool
	// Scheme in lower case.
	Scheme string
	// Host in lower case; with Below it is a suffix, which any number of labels precede, and empty for any host.
	Host  string
	Below bool
	Port  uint16
}

func (c *compiler) cors(route, at string, f CORS) *CORS {
	f.Origins = nil
	for i, text := range f.AllowOrigins {
		origin, ok := parseOrigin(text)
		if !ok || origin.Any && len(f.AllowOrigins) > 1 {
			c.fail(route, CodeInvalid, `%s.allow_origins[%d]: %q is no origin, nor "*" alone`, at, i, text)
		}
		f.Origins = append(f.Origins, origin)
	}
	for _, list := range []struct {
		field  string
		tokens []string
	}{{"allow_methods", f.AllowMethods}, {"allow_headers", f.AllowHeaders}, {"expose_headers", f.ExposeHeaders}} {
		for i, token := range list.tokens {
			if !validToken(token) || token == "*" && len(list.tokens) > 1 {
				c.fail(route, CodeInvalid, `%s.%s[%d]: %q is no name, nor "*" alone`, at, list.field, i, token)
			}
		}
	}
	if f.MaxAge == 0 {
		c.fail(route, CodeInvalid, "%s.max_age: must be at least 1", at)
	}
	return &f
}

func parseOrigin(text string) (CORSOrigin, bool) {
	if text == "*" {
		return CORSOrigin{Any: true}, true
	}
	scheme, authority, found := strings.Cut(strings.ToLower(text), "://")
	port, known := map[string]uint16{"http": 80, "https": 443}[scheme]
	if !found || !known {
		return CORSOrigin{}, false
	}
	host, digits, given := strings.Cut(authority, ":")
	if given {
		number, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || number == 0 {
			return CORSOrigin{}, false
		}
		port = uint16(number)
	}
	origin := CORSOrigin{Scheme: scheme, Host: host, Port: port}
	if rest, below := strings.CutPrefix(host, "*"); below {
		origin.Host, origin.Below = rest, true
		return origin, rest == "" || rest[0] == '.' && validHostname(rest[1:])
	}
	return origin, validHostname(host)
}
