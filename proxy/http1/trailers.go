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
	"io"
	"net/http"

	"github.com/rauta-dev/rauta/proxy/message"
)

// trailerReader fills in the trailers when the content has been read.
type trailerReader struct {
	body io.Reader
	from *http.Header
	to   *message.Fields
}

func (t *trailerReader) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	if err != io.EOF {
		return n, err
	}
	t.to.Reset()
	for name, values := range *t.from {
		for _, value := range values {
			t.to.Add(name, value)
		}
	}
	return n, err
}

// headerFrom gives net/http's form of a field section.
func headerFrom(fields *message.Fields) http.Header {
	header := make(http.Header, fields.Len())
	addTo(header, "", fields)
	return header
}

func addTo(header http.Header, prefix string, fields *message.Fields) {
	for i := range fields.Len() {
		name, value := fields.Line(i)
		header.Add(prefix+name, value)
	}
}
