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

package message

import "time"

// Limits bound what clients may take. Those of 0 have the default that is named.
type Limits struct {
	// MaxRequestLine in bytes, with HTTP/2 of method and target together; above, the answer is 414. Default 16,384.
	MaxRequestLine int
	// MaxHeaderBytes of a header section, with HTTP/1.1 and the request line, with HTTP/2 counted as RFC 9113 section
	// 6.5.2 does (32 more for each field); above, the answer is 431. Default 65,536.
	MaxHeaderBytes int
	// MaxFields is the number of field lines; above, the answer is 431. Default 128.
	MaxFields int
	// MaxBodyBytes of a request's content; above, the answer is 413. Default: no limit.
	MaxBodyBytes int64
	// MaxTrailerBytes of a request's trailer section; with HTTP/1.1 at most 4,096 count for one line. Default 8,192.
	MaxTrailerBytes int
	// MaxConcurrentStreams of a connection with HTTP/2. Default 128.
	MaxConcurrentStreams uint32
	// HeaderTimeout from a header section's first byte to its end, and for what a new connection begins with. Default 30 s.
	HeaderTimeout time.Duration
	// IdleTimeout for a connection without requests. Default 120 s.
	IdleTimeout time.Duration
	// BodyTimeout for the next piece of a request's content. Default 60 s.
	BodyTimeout time.Duration
	// WriteTimeout for the client to take a piece (at most 64 KiB) of a response, or to open a window for it. Default 60 s.
	WriteTimeout time.Duration
}

// WithDefaults gives the limits that hold.
func (l Limits) WithDefaults() *Limits {
	orDefault(&l.MaxRequestLine, 16<<10)
	orDefault(&l.MaxHeaderBytes, 64<<10)
	orDefault(&l.MaxFields, 128)
	orDefault(&l.MaxTrailerBytes, 8<<10)
	orDefault(&l.MaxConcurrentStreams, 128)
	orDefault(&l.HeaderTimeout, 30*time.Second)
	orDefault(&l.IdleTimeout, 120*time.Second)
	orDefault(&l.BodyTimeout, 60*time.Second)
	orDefault(&l.WriteTimeout, 60*time.Second)
	return &l
}

// ClientLimits bound what an endpoint may take. Those of 0 have the default that is named.
type ClientLimits struct {
	// ConnectTimeout for a new connection. Default 5 s.
	ConnectTimeout time.Duration
	// HeaderTimeout from the end of the request to the end of the response's header section; 0 for none.
	HeaderTimeout time.Duration
	// BodyTimeout for the next piece of a response's content; 0 for none.
	BodyTimeout time.Duration
	// WriteTimeout for the endpoint to take a piece (at most 64 KiB) of a request, or to open a window for it. Default 60 s.
	WriteTimeout time.Duration
	// IdleTimeout after which an unused connection is closed. Default 60 s.
	IdleTimeout time.Duration
	// MaxHeaderBytes of a response's header section. Default 262,144.
	MaxHeaderBytes int
	// MaxFields is the number of field lines of a response. Default 256.
	MaxFields int
	// MaxTrailerBytes of a response's trailer section. Default 8,192.
	MaxTrailerBytes int
}

// WithDefaults gives the limits that hold.
func (l ClientLimits) WithDefaults() *ClientLimits {
	orDefault(&l.ConnectTimeout, 5*time.Second)
	orDefault(&l.WriteTimeout, 60*time.Second)
	orDefault(&l.IdleTimeout, 60*time.Second)
	orDefault(&l.MaxHeaderBytes, 256<<10)
	orDefault(&l.MaxFields, 256)
	orDefault(&l.MaxTrailerBytes, 8<<10)
	return &l
}

func orDefault[T comparable](value *T, usual T) {
	var zero T
	if *value == zero {
		*value = usual
	}
}
