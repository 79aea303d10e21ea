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

package syntax

import "github.com/rauta-dev/rauta/proxy/message"

// forbiddenTrailers: RFC 9110 section 6.5.1: "Many fields cannot be processed outside the header section because their
// evaluation is necessary prior to receiving the content, such as those that describe message framing, routing,
// authentication, request modifiers, response controls, or content format." They are dropped, since whoever merges
// trailers into the header section would believe them.
var forbiddenTrailers = []string{
	"Authorization", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type",
	"Cookie", "Expect", "Forwarded", "Host", "Keep-Alive", "Max-Forwards", "Pragma", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Connection", "Range", "Set-Cookie", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	"Www-Authenticate", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto",
}

// ForbiddenTrailer says whether a field may not be in a trailer section.
func ForbiddenTrailer(name string) bool {
	for _, forbidden := range forbiddenTrailers {
		if message.EqualNames(name, forbidden) {
			return true
		}
	}
	return false
}
