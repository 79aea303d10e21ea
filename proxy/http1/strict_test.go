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

package http1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rauta-dev/rauta/proxy/message"
)

// requestCase is what a client sends, and how each request of it is answered.
type requestCase struct {
	reason string
	sent   string
	want   []int
}

const get = "GET / HTTP/1.1\r\nHost: h\r\n"

var requestCases = map[string]requestCase{
	"plain":             {"what every client sends", get + "\r\n", []int{200}},
	"pipelined":         {"RFC 9112 section 9.3.2: answers come in order", get + "\r\n" + get + "\r\n", []int{200, 200}},
	"empty line before": {"RFC 9112 section 2.2: a server SHOULD ignore at least one", "\r\n" + get + "\r\n", []int{200}},
	"two empty lines":   {"one is what clients of old sent", "\r\n\r\n" + get + "\r\n", []int{400}},
	"content":           {"Content-Length delimits", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" + get + "\r\n", []int{200, 200}},
	"chunked":           {"chunks delimit", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + get + "\r\n", []int{200, 200}},
	"chunked, trailers": {"trailers belong to the content", "POST / HTTP/1.1\r\nHost: h\r\ntransfer-encoding: CHUNKED\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n" + get + "\r\n", []int{200, 200}},
	"same length twice": {"RFC 9110 section 8.6: lines that say the same are one", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", []int{200}},
	"HTTP/1.0":          {"RFC 9112 section 9.3: it gets no second request", "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n", []int{200}},
	"close":             {"nothing is read after Connection: close", get + "Connection: x, Close\r\n\r\n" + get + "\r\n", []int{200}},
	"absolute":          {"RFC 9112 section 3.2.2: servers MUST accept it", "GET HTTP://a:1/b?c HTTP/1.1\r\nHost: h\r\n\r\n", []int{200}},
	"absolute, no path": {"an empty path is /", "GET http://a?c HTTP/1.1\r\nHost: h\r\n\r\n", []int{200}},
	"asterisk":          {"RFC 9112 section 3.2.4", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", []int{200}},
	"absolute OPTIONS":  {"RFC 9112 section 3.2.4: it becomes *", "OPTIONS http://a HTTP/1.1\r\nHost: h\r\n\r\n", []int{200}},
	"IPv6":              {"an address literal is a host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", []int{200}},
	"value of obs-text": {"RFC 9110 section 5.5: it is opaque data", get + "X: caf\xe9\r\n\r\n", []int{200}},
	"empty value":       {"a value may be empty", get + "X:\r\n\r\n", []int{200}},
	"whitespace":        {"RFC 9110 section 5.5: it is not part of the value", get + "X: \t a \t\r\n\r\n", []int{200}},
	"CONNECT":           {"what follows was meant for a tunnel", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" + get + "\r\n", []int{200}},

	"length and chunked":     {"RFC 9112 section 6.3: it ought to be handled as an error", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400}},
	"chunked and length":     {"the same the other way round", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", []int{400}},
	"lengths differ":         {"two recipients could believe two of them", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", []int{400}},
	"list of lengths":        {"RFC 9110 section 8.6: it may be refused", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc", []int{400}},
	"signed length":          {"Content-Length = 1*DIGIT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc", []int{400}},
	"negative length":        {"Content-Length = 1*DIGIT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\nabc", []int{400}},
	"hexadecimal length":     {"Content-Length = 1*DIGIT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\nabc", []int{400}},
	"empty length":           {"Content-Length = 1*DIGIT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\nabc", []int{400}},
	"huge length":            {"it must not wrap around", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551619\r\n\r\nabc", []int{400}},
	"length above int64":     {"it must not become negative", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775808\r\n\r\nabc", []int{400}},
	"chunked twice":          {"RFC 9112 section 6.1: a sender MUST NOT apply chunked more than once", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400}},
	"chunked not last":       {"RFC 9112 section 6.3: the length cannot be determined", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", []int{400}},
	"identity":               {"it is no coding any more", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", []int{501}},
	"empty coding":           {"a coding is a token", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n", []int{400}},
	"chunked with VT":        {"a known disguise", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", []int{400}},
	"quoted chunked":         {"another one", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", []int{400}},
	"other coding":           {"RFC 9112 section 6.1: SHOULD respond with 501", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", []int{501}},
	"coding in HTTP/1.0":     {"RFC 9112 section 6.1: MUST treat the message as if the framing is faulty", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400}},
	"folded value":           {"RFC 9112 section 5.2: MUST reject", get + "X: a\r\n b\r\n\r\n", []int{400}},
	"folded first field":     {"RFC 9112 section 2.2: MUST reject", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", []int{400}},
	"space before colon":     {"RFC 9112 section 5.1: MUST reject", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc", []int{400}},
	"no colon":               {"a field line has one", get + "X\r\n\r\n", []int{400}},
	"empty name":             {"a name is a token", get + ": x\r\n\r\n", []int{400}},
	"name with a control":    {"a name is a token", get + "X\x00: y\r\n\r\n", []int{400}},
	"name of obs-text":       {"a name is a token", get + "X\xe9: y\r\n\r\n", []int{400}},
	"NUL in a value":         {"RFC 9110 section 5.5: invalid and dangerous", get + "X: a\x00b\r\n\r\n", []int{400}},
	"DEL in a value":         {"no other control character either", get + "X: a\x7fb\r\n\r\n", []int{400}},
	"CR in a value":          {"some take it for the end of a line", get + "X: a\rY: b\r\n\r\n", []int{400}},
	"CR CRLF":                {"some take it for two ends", get + "X: a\r\r\n\r\n", []int{400}},
	"LF":                     {"not everybody takes it for the end of a line", "GET / HTTP/1.1\nHost: h\n\n", []int{400}},
	"LF after a field":       {"the same within a head", get + "X: a\nY: b\r\n\r\n", []int{400}},
	"LF at the end":          {"the same for the empty line", get + "\n", []int{400}},
	"no Host":                {"RFC 9112 section 3.2: MUST respond with 400", "GET / HTTP/1.1\r\n\r\n", []int{400}},
	"two Hosts":              {"RFC 9112 section 3.2: MUST respond with 400", get + "Host: h\r\n\r\n", []int{400}},
	"two Hosts, absolute":    {"also when it will be ignored", "GET http://a/ HTTP/1.1\r\nHost: h\r\nhost: i\r\n\r\n", []int{400}},
	"empty Host":             {"RFC 9110 section 4.2.1: MUST reject it as invalid", "GET / HTTP/1.1\r\nHost:\r\n\r\n", []int{400}},
	"Host with a path":       {"it is uri-host [ : port ]", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", []int{400}},
	"Host with a user":       {"it has no user information", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", []int{400}},
	"Host with a space":      {"nor whitespace", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", []int{400}},
	"Host, two values":       {"nor a list", "GET / HTTP/1.1\r\nHost: a,b@c\r\n\r\n", []int{400}},
	"Host, port":             {"a port is digits", "GET / HTTP/1.1\r\nHost: h:8a\r\n\r\n", []int{400}},
	"Host, two ports":        {"and there is one", "GET / HTTP/1.1\r\nHost: h:8:9\r\n\r\n", []int{400}},
	"Host, open bracket":     {"a literal ends", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", []int{400}},
	"Host, escape":           {"not everybody decodes it", "GET / HTTP/1.1\r\nHost: %68\r\n\r\n", []int{400}},
	"absolute with a user":   {"RFC 9110 section 4.2.4: it is likely to deceive", "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"absolute, other scheme": {"the proxy speaks http and https", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"relative":               {"it is no form of target", "GET x HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"asterisk with GET":      {"RFC 9112 section 3.2.4: only for OPTIONS", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"CONNECT with a path":    {"RFC 9112 section 3.2.3: only the authority-form", "CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"CONNECT without port":   {"RFC 9112 section 3.2.3: uri-host \":\" port", "CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"space in the target":    {"RFC 9112 section 3.2: no whitespace is allowed in it", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"tab as separator":       {"some split lines at it", "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"two spaces":             {"an empty target is none", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"fragment":               {"it never is in a target", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"backslash":              {"some take it for a slash", "GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"escape in path":         {"%zz stands for nothing", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"obs-text in path":       {"RFC 3986: it must be escaped", "GET /\xe9 HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"no version":             {"HTTP/0.9 is over", "GET /\r\nHost: h\r\n\r\n", []int{400}},
	"lower-case version":     {"RFC 9112 section 2.3: it is case-sensitive", "GET / http/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"version 1.10":           {"a version has one digit on each side", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", []int{400}},
	"version 2.0":            {"RFC 9110 section 15.6.6", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{505}},
	"version 1.2":            {"what it means is unknown", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", []int{505}},
	"method":                 {"a method is a token", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", []int{400}},
	"TLS":                    {"whoever speaks it to a plain port learns so at once", "\x16\x03\x01\x00\xa5", []int{400}},
	"expectation":            {"RFC 9110 section 10.1.1: MAY respond with 417", get + "Expect: x\r\n\r\n", []int{417}},
	"chunk size":             {"a size has a digit", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n;x\r\n", []int{0}},
	"content cut":            {"half a request is none", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabc", []int{0}},
}

func TestRequests(t *testing.T) {
	for name, test := range requestCases {
		for _, piece := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s/%d", name, piece), func(t *testing.T) {
				_, answer := serveBytes(ServerOptions{}, []byte(test.sent), piece)
				if got, want := statuses(answer), fmt.Sprint(test.want); got != want {
					t.Errorf("%s: got %s, want %s\n%s", test.reason, got, want, answer)
				}
			})
		}
	}
}

// statuses lists those of the answers; 0 for none.
func statuses(answer string) string {
	var all []int
	for line := range strings.SplitSeq(answer, "\r\n") {
		var status int
		if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &status); err == nil {
			all = append(all, status)
		}
	}
	if len(all) == 0 {
		all = []int{0}
	}
	return fmt.Sprint(all)
}

func TestRefusalsEndTheConnection(t *testing.T) {
	_, answer := serveBytes(ServerOptions{}, []byte("GET / HTTP/1.1\r\n\r\n"+get+"\r\n"), 0)
	if !strings.Contains(answer, "Connection: close\r\n") || strings.Count(answer, "HTTP/1.1") != 1 {
		t.Errorf("what follows a malformed request is not known: %q", answer)
	}
}

func TestLimits(t *testing.T) {
	small := ServerOptions{Limits: message.Limits{MaxRequestLine: 64, MaxHeaderBytes: 256, MaxFields: 4, MaxBodyBytes: 8, MaxTrailerBytes: 32}}
	post := "POST / HTTP/1.1\r\nHost: h\r\n"
	tests := map[string]struct {
		reason string
		sent   string
		want   int
	}{
		"within":               {"limits are not reached", get + "\r\n", 200},
		"request line":         {"RFC 9110 section 15.5.15", "GET /" + strings.Repeat("a", 64) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
		"endless request line": {"it is not waited for", "GET /" + strings.Repeat("a", 64), 414},
		"header section":       {"RFC 6585 section 5", get + "X: " + strings.Repeat("a", 256) + "\r\n\r\n", 431},
		"endless line":         {"it is not waited for", get + "X: " + strings.Repeat("a", 256), 431},
		"fields":               {"many short ones cost as much as a long one", get + strings.Repeat("A:\r\n", 4) + "\r\n", 431},
		"as many fields":       {"the limit is allowed", get + strings.Repeat("A:\r\n", 3) + "\r\n", 200},
		"content":              {"RFC 9110 section 15.5.14", post + "Content-Length: 9\r\n\r\n123456789", 413},
		"as much content":      {"the limit is allowed", post + "Content-Length: 8\r\n\r\n12345678", 200},
		"chunks":               {"the sum counts", post + "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n", 413},
		"one chunk":            {"its size alone is enough", post + "Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", 413},
		"trailers":             {"they are fields too", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + strings.Repeat("a", 32) + "\r\n\r\n", 431},
		"many trailers":        {"they are counted too", post + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("A:\r\n", 5) + "\r\n", 431},
		"chunk extension":      {"RFC 9112 section 7.1.1: a server ought to limit it", post + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", maxChunkLine) + "\r\na\r\n0\r\n\r\n", 400},
		"endless extension":    {"it is not waited for", post + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", maxChunkLine), 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, answer := serveWithErrors(small, []byte(test.sent))
			if got, want := statuses(answer), fmt.Sprint([]int{test.want}); got != want {
				t.Errorf("%s: got %s, want %s", test.reason, got, want)
			}
		})
	}
	extensions := post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("a", 1000)+"\r\na\r\n", 17) + "0\r\n\r\n"
	if _, answer := serveWithErrors(ServerOptions{}, []byte(extensions)); statuses(answer) != "[400]" {
		t.Errorf("extensions of all chunks together: got %s", statuses(answer))
	}
}

// responseCase is what an endpoint sends to a GET, and what comes of it.
type responseCase struct {
	reason string
	sent   string
	status int // 0 when it is refused
	body   string
	rest   int
}

var responseCases = map[string]responseCase{
	"length":           {"Content-Length delimits", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP", 200, "abc", 4},
	"chunked":          {"chunks delimit", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\nx", 200, "abc", 1},
	"until close":      {"without either, the connection's end delimits", "HTTP/1.1 200 OK\r\n\r\nabc", 200, "abc", 0},
	"HTTP/1.0":         {"endpoints may be old", "HTTP/1.0 200 OK\r\n\r\nabc", 200, "abc", 0},
	"no reason":        {"the phrase may be empty", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, "", 0},
	"no space":         {"and its space is often forgotten", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, "", 0},
	"204":              {"RFC 9112 section 6.3: it has no content", "HTTP/1.1 204 No Content\r\n\r\nabc", 204, "", 3},
	"304":              {"nor has 304, whatever its length says", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", 304, "", 3},
	"interim":          {"interim responses come before", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", 0},
	"status above 599": {"RFC 9110 section 15: invalid", "HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n", 0, "", 0},
	"status below 100": {"RFC 9110 section 15: invalid", "HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n", 0, "", 0},
	"short status":     {"it has three digits", "HTTP/1.1 20 X\r\nContent-Length: 0\r\n\r\n", 0, "", 0},
	"long status":      {"and no more", "HTTP/1.1 2000 X\r\nContent-Length: 0\r\n\r\n", 0, "", 0},
	"version":          {"HTTP/2.0 is not spoken so", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "", 0},
	"not HTTP":         {"something else listens there", "SSH-2.0-OpenSSH\r\n", 0, "", 0},
	"both framings":    {"smuggling is as easy from this side", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, "", 0},
	"lengths differ":   {"RFC 9112 section 6.3: MUST send 502", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 0, "", 0},
	"length malformed": {"RFC 9112 section 6.3: MUST send 502", "HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\nabc", 0, "", 0},
	"coding":           {"the content cannot be passed on", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", 0, "", 0},
	"old and chunked":  {"RFC 9112 section 6.1: the framing is faulty", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, "", 0},
	"chunked 204":      {"RFC 9112 section 6.1: MUST NOT send it", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, "", 0},
	"cut head":         {"half a head is none", "HTTP/1.1 200 OK\r\nContent-Le", 0, "", 0},
	"cut content":      {"RFC 9112 section 8: it is incomplete", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", 0, "", 0},
	"cut chunks":       {"RFC 9112 section 8: it is incomplete", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 0, "", 0},
	"folded":           {"what is forwarded has no folds", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", 0, "", 0},
	"LF":               {"lines end in CRLF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", 0, "", 0},
	"CR in a value":    {"it could become a line of its own", "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n", 0, "", 0},
	"space in name":    {"names are tokens", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", 0, "", 0},
	"unasked switch":   {"nobody asked for another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 0, "", 0},
	"interims":         {"they must end some time", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", maxInterims+1) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "", 0},
}

func TestResponses(t *testing.T) {
	for name, test := range responseCases {
		for _, piece := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s/%d", name, piece), func(t *testing.T) {
				response, _, rest, err := readBytes(ClientOptions{}, &message.Request{Method: "GET"}, []byte(test.sent), piece)
				if response.Status != test.status || (err == nil) != (test.status > 0) || response.Body != test.body || rest != test.rest {
					t.Errorf("%s: got %d %q, %d bytes left, %v", test.reason, response.Status, response.Body, rest, err)
				}
			})
		}
	}
}

// chunkCase is chunked content, and what comes of it.
type chunkCase struct {
	reason string
	sent   string
	want   string
	ok     bool
}

var chunkCases = map[string]chunkCase{
	"empty":              {"the last chunk alone", "0\r\n\r\n", "", true},
	"several":            {"content is put together", "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", "abc0123456789", true},
	"zeros before":       {"a size may have leading zeros", "003\r\nabc\r\n000\r\n\r\n", "abc", true},
	"extension":          {"RFC 9112 section 7.1.1: MUST ignore unrecognized ones", "3;a=\"b\"\r\nabc\r\n0;c\r\n\r\n", "abc", true},
	"no size":            {"a size has a digit", "\r\nabc\r\n0\r\n\r\n", "", false},
	"0x":                 {"a size is digits alone", "0x3\r\nabc\r\n0\r\n\r\n", "", false},
	"sign":               {"a size is digits alone", "+3\r\nabc\r\n0\r\n\r\n", "", false},
	"space before":       {"a size begins the line", " 3\r\nabc\r\n0\r\n\r\n", "", false},
	"space behind":       {"not everybody drops it", "3 \r\nabc\r\n0\r\n\r\n", "", false},
	"space before ;":     {"RFC 9112 section 7.1.1 calls it bad", "3 ;a\r\nabc\r\n0\r\n\r\n", "", false},
	"overflow":           {"a size must not wrap around", "10000000000000003\r\nabc\r\n0\r\n\r\n", "", false},
	"above int64":        {"a size must not become negative", "8000000000000000\r\nabc\r\n0\r\n\r\n", "", false},
	"LF after size":      {"lines end in CRLF", "3\nabc\r\n0\r\n\r\n", "", false},
	"LF after content":   {"content ends in CRLF", "3\r\nabc\n0\r\n\r\n", "", false},
	"longer than said":   {"what is behind the chunk is no CRLF", "3\r\nabcd\r\n0\r\n\r\n", "", false},
	"shorter than said":  {"the line's end is content then", "4\r\nabc\r\n0\r\n\r\n", "", false},
	"CR in extension":    {"a value has no control characters", "3;a\rb\r\nabc\r\n0\r\n\r\n", "", false},
	"cut in a size":      {"the last chunk is missing", "3\r\nabc\r\n1", "", false},
	"cut before the end": {"so is the empty line", "3\r\nabc\r\n0\r\n", "", false},
	"trailer, no colon":  {"trailers are field lines", "0\r\nabc\r\n\r\n", "", false},
	"trailer, folded":    {"and not folded", "0\r\nA: b\r\n c\r\n\r\n", "", false},
}

func TestChunks(t *testing.T) {
	for name, test := range chunkCases {
		t.Run(name, func(t *testing.T) {
			sent := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + test.sent
			for _, piece := range []int{0, 1, 2} {
				response, _, _, err := readBytes(ClientOptions{}, &message.Request{Method: "GET"}, []byte(sent), piece)
				if (err == nil) != test.ok || response.Body != test.want {
					t.Errorf("%s: got %q, %v", test.reason, response.Body, err)
				}
			}
		})
	}
}

func TestForbiddenTrailersAreDropped(t *testing.T) {
	sent := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: 1\r\nContent-Length: 5\r\nset-cookie: x\r\nB: 2\r\n\r\n"
	response, _, _, err := readBytes(ClientOptions{}, &message.Request{Method: "GET"}, []byte(sent), 0)
	if err != nil || fmt.Sprint(response.Trailers) != "[{A 1} {B 2}]" {
		t.Errorf("got %v, %v", response.Trailers, err)
	}
}
