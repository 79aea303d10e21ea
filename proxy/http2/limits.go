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

package http2

import "time"

// Limits bound what clients may take. Those of 0 have the default that is named.
type Limits struct {
	// MaxRequestLine is for method and target together, in bytes; above, the answer is 414. Default 16,384.
	MaxRequestLine int
	// MaxHeaderBytes of a header section, counted as RFC 9113 section 6.5.2 does (32 more for each field); above, the
	// answer is 431. Default 65,536.
	MaxHeaderBytes int
	// MaxFields is the number of field lines; above, the answer is 431. Default 128.
	MaxFields int
	// MaxBodyBytes of a request's content; above, the answer is 413. Default: no limit.
	MaxBodyBytes int64
	// MaxTrailerBytes of a request's trailer section. Default 8,192.
	MaxTrailerBytes int
	// MaxConcurrentStreams of a connection. Default 128.
	MaxConcurrentStreams uint32
	// HeaderTimeout for the preface of a new connection and for a header section in several frames. Default 30 s.
	HeaderTimeout time.Duration
	// IdleTimeout for a connection without streams. Default 120 s.
	IdleTimeout time.Duration
	// BodyTimeout for the next piece of a request's content. Default 60 s.
	BodyTimeout time.Duration
	// WriteTimeout for the client to take a piece of a response, or to open a window for it. Default 60 s.
	WriteTimeout time.Duration
}

func (l Limits) withDefaults() *Limits {
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

func orDefault[T comparable](value *T, usual T) {
	var zero T
	if *value == zero {
		*value = usual
	}
}
