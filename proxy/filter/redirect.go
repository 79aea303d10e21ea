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

// Redirect answers with the target of the request as its parts change it.
type Redirect struct {
	// Scheme; empty for that of the request.
	Scheme string
	// Hostname; empty for that of the request.
	Hostname string
	// Port; 0 for the scheme's, or without a scheme the listener's.
	Port uint16
	// Path; nil to keep it.
	Path   *Path
	Status int
}

// Apply gives the answer. A request without a host cannot be redirected to it: 400.
func (r *Redirect) Apply(x *Exchange) *message.Response {
	scheme := r.Scheme
	if scheme == "" {
		scheme = x.Request.Scheme
	}
	host := r.Hostname
	if host == "" {
		host = hostOf(x.Request.Authority)
	}
	if host == "" {
		return &message.Response{Status: 400}
	}
	to := make([]byte, 0, 64+len(host)+len(x.Request.Path)+len(x.Request.Query))
	to = append(to, scheme...)
	to = append(to, "://"...)
	to = append(to, host...)
	// HTTPRequestRedirectFilter.port: "Implementations SHOULD NOT add the port number in the 'Location' header" where it is
	// the well-known one of the scheme.
	if port := r.port(x.Port); port != wellKnown(scheme) {
		to = append(to, ':')
		to = strconv.AppendUint(to, uint64(port), 10)
	}
	to = r.appendPath(to, x.Request.Path)
	to = append(to, x.Request.Query...)
	response := &message.Response{Status: r.Status}
	response.Fields.Add("Location", string(to))
	return response
}

// port: HTTPRequestRedirectFilter.port: "If redirect scheme is not-empty, the redirect port MUST be the well-known port
// associated with the redirect scheme. [...] If redirect scheme is empty, the redirect port MUST be the Gateway Listener
// port."
func (r *Redirect) port(listener uint16) uint16 {
	switch {
	case r.Port != 0:
		return r.Port
	case r.Scheme != "":
		return wellKnown(r.Scheme)
	}
	return listener
}

func (r *Redirect) appendPath(to []byte, path string) []byte {
	// RFC 9112 section 3.3: a target in asterisk-form is a URI without a path.
	if path == "*" {
		return to
	}
	if r.Path == nil {
		return append(to, path...)
	}
	return r.Path.appendTo(to, path)
}

func wellKnown(scheme string) uint16 {
	if scheme == "https" {
		return 443
	}
	return 80
}

// hostOf cuts the port off an authority.
func hostOf(authority string) string {
	colon := strings.LastIndexByte(authority, ':')
	if colon < 0 || strings.IndexByte(authority[colon:], ']') >= 0 {
		return authority
	}
	return authority[:colon]
}
