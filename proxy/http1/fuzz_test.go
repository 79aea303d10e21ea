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
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/syntax"
)

// What the codec accepts, another reader must read in the same way: net/http is that reader. What the codec refuses is
// not compared, since it means to be the stricter of the two.

func FuzzRequests(f *testing.F) {
	for _, test := range requestCases {
		f.Add([]byte(test.sent), byte(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, piece byte) {
		requests, _ := serveBytes(ServerOptions{}, data, int(piece))
		if piece > 0 {
			whole, _ := serveBytes(ServerOptions{}, data, 0)
			if diff := cmp.Diff(whole, requests); diff != "" {
				t.Fatalf("read in pieces, it is another message (-whole +pieces):\n%s", diff)
			}
		}
		reader := bufio.NewReader(bytes.NewReader(data))
		for i, request := range requests {
			if start, err := reader.Peek(2); err == nil && string(start) == "\r\n" {
				_, _ = reader.Discard(2) // Package net/http does not take an empty line before a request.
			}
			want, err := readOther(reader)
			if err != nil {
				t.Fatalf("request %d was accepted: %+v\nnet/http refuses it: %v", i, request, err)
			}
			if diff := cmp.Diff(want, normal(request)); diff != "" {
				t.Fatalf("request %d (-net/http +http1):\n%s", i, diff)
			}
		}
	})
}

// readOther is what net/http makes of a request.
func readOther(reader *bufio.Reader) (got, error) {
	r, err := http.ReadRequest(reader)
	if err != nil {
		return got{}, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return got{}, err
	}
	target := r.RequestURI
	if r.Method != http.MethodConnect && target != "*" && target[0] != '/' {
		target = "/" // Behind the host that net/http has found.
		_, rest, _ := strings.Cut(r.RequestURI, "://")
		rest = strings.TrimPrefix(rest, r.URL.Host)
		switch {
		case rest != "" && rest[0] == '/':
			target = rest
		case rest != "":
			target += rest
		case r.Method == http.MethodOptions:
			target = "*"
		}
	}
	if r.Method == http.MethodConnect {
		target = ""
	}
	return normal(got{
		Method: r.Method, Authority: r.Host, Target: target, Fields: flat(r.Header), Length: r.ContentLength,
		Body: string(body), Trailers: flat(r.Trailer),
	}), nil
}

func flat(header http.Header) []message.Field {
	var fields []message.Field
	for name, values := range header {
		for _, value := range values {
			fields = append(fields, message.Field{Name: name, Value: value})
		}
	}
	return fields
}

// normal removes what does not make a difference: the case of names, the order of fields with other names, and what the
// codec drops because it writes it by itself or does not believe it.
func normal(g got) got {
	fields := func(all []message.Field, drop func(string) bool) []message.Field {
		kept := []message.Field{}
		for _, field := range all {
			field.Name = http.CanonicalHeaderKey(field.Name)
			if !drop(field.Name) {
				kept = append(kept, field)
			}
		}
		slices.SortStableFunc(kept, func(a, b message.Field) int { return strings.Compare(a.Name, b.Name) })
		return kept
	}
	g.Fields = fields(g.Fields, func(name string) bool {
		return slices.Contains([]string{"Host", "Content-Length", "Transfer-Encoding", "Trailer", "Expect"}, name)
	})
	g.Trailers = fields(g.Trailers, syntax.ForbiddenTrailer)
	return g
}

func FuzzResponses(f *testing.F) {
	for _, test := range responseCases {
		f.Add([]byte(test.sent), byte(0), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, piece byte, head bool) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		response, interims, _, err := readBytes(ClientOptions{}, &message.Request{Method: method}, data, int(piece))
		if err != nil {
			return
		}
		reader := bufio.NewReader(bytes.NewReader(data))
		var r *http.Response
		for seen := 0; ; seen++ {
			if r, err = http.ReadResponse(reader, &http.Request{Method: method}); err != nil {
				t.Fatalf("accepted: %+v\nnet/http refuses it: %v", response, err)
			}
			if r.StatusCode >= 200 {
				break
			}
			if seen > interims+maxInterims {
				t.Fatalf("net/http sees another interim response")
			}
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatalf("accepted: %+v\nnet/http refuses its content: %v", response, err)
		}
		want := got{Status: r.StatusCode, Fields: flat(r.Header), Body: string(body), Trailers: flat(r.Trailer), Length: response.Length}
		if diff := cmp.Diff(normal(want), normal(response)); diff != "" {
			t.Fatalf("response (-net/http +http1):\n%s", diff)
		}
		if r.StatusCode != 204 && r.StatusCode != 304 && !head && r.ContentLength != response.Length {
			t.Fatalf("length %d, net/http says %d", response.Length, r.ContentLength)
		}
	})
}

func FuzzChunks(f *testing.F) {
	for _, test := range chunkCases {
		f.Add([]byte(test.sent), byte(0), uint16(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, piece byte, size uint16) {
		read := func(piece, size int) ([]byte, []message.Field, error) {
			w := &wire{}
			if err := w.open(&memory{sent: data, piece: piece}); err != nil {
				t.Fatal(err)
			}
			var c content
			var trailers message.Fields
			c.begin(w, byChunks, 0, contentLimits{trailers: 1 << 10, fields: 16}, &trailers)
			var body []byte
			part := make([]byte, size)
			for {
				n, err := c.Read(part)
				body = append(body, part[:n]...)
				if errors.Is(err, io.EOF) {
					return body, cloned(&trailers), nil
				}
				if err != nil {
					return body, nil, err
				}
			}
		}
		body, trailers, err := read(0, 16<<10)
		again, same, againErr := read(int(piece), int(size)+1)
		if (err == nil) != (againErr == nil) || err == nil && !bytes.Equal(body, again) || !cmp.Equal(trailers, same) {
			t.Fatalf("read in pieces, it is other content: %q %v %v, %q %v %v", body, trailers, err, again, same, againErr)
		}
		if err != nil {
			return
		}
		want, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(data)))
		if err != nil || !bytes.Equal(want, body) {
			t.Fatalf("accepted: %q\nnet/http: %q, %v", body, want, err)
		}
	})
}
