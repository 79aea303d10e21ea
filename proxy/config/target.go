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
	"slices"
	"strings"
)

// Redirect answers with the target of the request as its parts change it.
type Redirect struct {
	// Scheme: http, https, or empty for that of the request.
	Scheme string
	// Hostname; empty for that of the request.
	Hostname string
	// Port; 0 for the scheme's, or without a scheme the listener's.
	Port uint32
	Path *PathModifier
	// Status: 301, 302, 303, 307 or 308.
	Status uint32
}

// Rewrite changes the target of a request on its way to the backend.
type Rewrite struct {
	// Hostname is the authority that the backend gets; empty to keep that of the request.
	Hostname string
	Path     *PathModifier
}

// PathModifier gives a path in the place of a request's: the full one, or one for its prefix.
type PathModifier struct {
	Full, Prefix *string
	// Elements of the path that Prefix stands for; Compile sets it in the plan.
	Elements int
}

func (c *compiler) redirect(in filterScope, at string, r Redirect) *Redirect {
	if r.Scheme != "" && r.Scheme != "http" && r.Scheme != "https" {
		c.fail(in.route, CodeUnsupported, "%s.scheme: %q is not known", at, r.Scheme)
	}
	c.preciseHostname(in.route, at, r.Hostname)
	if r.Port > maxPort {
		c.fail(in.route, CodeInvalid, "%s.port: %d is more than %d", at, r.Port, maxPort)
	}
	if !slices.Contains([]uint32{301, 302, 303, 307, 308}, r.Status) {
		c.fail(in.route, CodeUnsupported, "%s.status: %d is not known", at, r.Status)
	}
	r.Path = c.pathModifier(in, at+".path", r.Path)
	return &r
}

func (c *compiler) rewrite(in filterScope, at string, r Rewrite) *Rewrite {
	c.preciseHostname(in.route, at, r.Hostname)
	r.Path = c.pathModifier(in, at+".path", r.Path)
	return &r
}

// preciseHostname: PreciseHostname: "similar to Hostname except that it cannot be a wildcard".
func (c *compiler) preciseHostname(route, at, hostname string) {
	if hostname != "" && (strings.HasPrefix(hostname, "*") || !validHostname(hostname)) {
		c.fail(route, CodeInvalid, "%s.hostname: %q is not a hostname", at, hostname)
	}
}

// pathModifier checks a modifier, and gives it with what it needs of the matches. HTTPPathModifier.replacePrefixMatch: "only
// compatible with a `PathPrefix` HTTPRouteMatch."
func (c *compiler) pathModifier(in filterScope, at string, m *PathModifier) *PathModifier {
	if m == nil {
		return nil
	}
	switch {
	case m.Full != nil:
		c.replacement(in.route, at+".full", *m.Full)
		full := *m.Full
		if full == "" {
			full = "/"
		}
		return &PathModifier{Full: &full}
	case m.Prefix == nil:
		c.fail(in.route, CodeUnsupported, "%s: this proxy does not know the modifier", at)
		return nil
	}
	c.replacement(in.route, at+".prefix", *m.Prefix)
	if len(in.matches) == 0 {
		return nil // Its rule takes no request, and has its own error.
	}
	first := in.matches[0]
	for _, match := range in.matches {
		if match.PathType != PathPrefix || trimSlash(match.Path) != trimSlash(first.Path) {
			c.fail(in.route, CodeInvalid, "%s.prefix: the rule's matches must have one path, and that a prefix", at)
			return nil
		}
	}
	// "When specified, a trailing `/` is ignored."
	prefix := trimSlash(*m.Prefix)
	return &PathModifier{Prefix: &prefix, Elements: strings.Count(trimSlash(first.Path), "/")}
}

func trimSlash(path string) string { return strings.TrimSuffix(path, "/") }

const maxReplacement = 1024

// replacement checks a path that is put in the place of another one. It may hold what a path may (RFC 3986 section 3.3), and
// nothing that is read in two ways.
func (c *compiler) replacement(route, at, path string) {
	switch {
	case len(path) > maxReplacement:
		c.fail(route, CodeInvalid, "%s: has %d bytes, at most %d are allowed", at, len(path), maxReplacement)
	case path == "":
	case path[0] != '/':
		c.fail(route, CodeInvalid, "%s: %q does not begin with /", at, path)
	case strings.Contains(path, "//"):
		c.fail(route, CodeInvalid, "%s: %q contains //", at, path)
	case !validPath(path):
		c.fail(route, CodeInvalid, "%s: %q holds what has to be percent-encoded in a path", at, path)
	case hasDots(path):
		c.fail(route, CodeInvalid, "%s: %q has segments of dots", at, path)
	}
}

func validPath(path string) bool {
	for i := 0; i < len(path); i++ {
		b := path[i]
		switch {
		case '0' <= b && b <= '9', 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', strings.IndexByte("/-._~!$&'()*+,;=:@", b) >= 0:
		case b == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}

// hasDots says whether a segment is "." or "..", however it is written.
func hasDots(path string) bool {
	plain := strings.NewReplacer("%2e", ".", "%2E", ".", "%2f", "/", "%2F", "/", "%5c", "/", "%5C", "/").Replace(path)
	for segment := range strings.SplitSeq(plain, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
