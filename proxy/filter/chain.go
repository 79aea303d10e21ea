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

import "github.com/rauta-dev/rauta/proxy/message"

// Exchange is what filters see of one request, and keep about it.
type Exchange struct {
	Request *message.Request
	// Port of the listener by which the request came.
	Port uint16
	// Origin of the request, as CORS filters saw it; empty without one.
	Origin string
	// Copies of the request, to be sent to mirrors when it is sent.
	Copies []Copy

	// scratch is memory for what filters make; the request may alias it.
	scratch []byte
}

// Request is a filter of requests.
type Request interface {
	// Apply changes the request, or gives the response that answers it.
	Apply(x *Exchange) *message.Response
}

// Response is a filter of responses.
type Response interface {
	// Apply changes the header section of a response, from which the fields of the connection have gone.
	Apply(x *Exchange, fields *message.Fields)
}

// Chain are the filters of a rule, or of a backend.
type Chain struct {
	Requests  []Request
	Responses []Response
}

// Answer has the filters see a request. It gives the response of the first that answers it, and nil when it goes on.
func (c *Chain) Answer(x *Exchange) *message.Response {
	for _, f := range c.Requests {
		if response := f.Apply(x); response != nil {
			return response
		}
	}
	return nil
}
