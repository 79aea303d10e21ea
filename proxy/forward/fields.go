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
	"strings"

	"github.com/rauta-dev/rauta/proxy/message"
)

// outbound makes the request's head the one that an endpoint gets.
func outbound(request *message.Request) {
	trailers := acceptsTrailers(&request.Fields)
	removeHopByHop(&request.Fields)
	if trailers {
		request.Fields.Add("Te", "trailers")
	}
	if !message.EqualNames(request.Upgrade, "websocket") {
		request.Upgrade = ""
	}
}

// acceptsTrailers: TE belongs to the connection, and so does its "trailers"; this proxy passes trailers on, and may
// therefore ask for them when the client does.
func acceptsTrailers(fields *message.Fields) bool {
	for i := range fields.Len() {
		name, value := fields.Line(i)
		if !message.EqualNames(name, "Te") {
			continue
		}
		for coding := range strings.SplitSeq(value, ",") {
			if message.EqualNames(strings.TrimSpace(coding), "trailers") {
				return true
			}
		}
	}
	return false
}

// removeHopByHop: RFC 9110 section 7.6.1: "Intermediaries MUST parse a received Connection header field before a message
// is forwarded and, for each connection-option in this field, remove any header or trailer field(s) from the message
// with the same name as the connection-option, and then remove the Connection header field itself".
func removeHopByHop(fields *message.Fields) {
	var nominated []string
	for i := range fields.Len() {
		name, value := fields.Line(i)
		if !message.EqualNames(name, "Connection") {
			continue
		}
		for option := range strings.SplitSeq(value, ",") {
			option = strings.TrimSpace(option)
			if option != "" && !belongsToConnection(option) {
				nominated = append(nominated, option)
			}
		}
	}
	fields.RemoveFunc(belongsToConnection)
	for _, name := range nominated {
		fields.Remove(name)
	}
}

// belongsToConnection names the fields of RFC 9110 section 7.6.1, and those of authentication with a proxy (section
// 11.7), which is not for the backend.
func belongsToConnection(name string) bool {
	switch len(name) {
	case len("Te"):
		return message.EqualNames(name, "Te")
	case len("Upgrade"):
		return message.EqualNames(name, "Upgrade")
	case len("Connection"):
		return message.EqualNames(name, "Connection") || message.EqualNames(name, "Keep-Alive")
	case len("Proxy-Connection"):
		return message.EqualNames(name, "Proxy-Connection")
	case len("Transfer-Encoding"):
		return message.EqualNames(name, "Transfer-Encoding")
	case len("Proxy-Authenticate"):
		return message.EqualNames(name, "Proxy-Authenticate")
	case len("Proxy-Authorization"):
		return message.EqualNames(name, "Proxy-Authorization")
	}
	return false
}
