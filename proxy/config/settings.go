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
	"math"
	"time"
)

// Settings are how the proxy treats all its clients and endpoints.
type Settings struct {
	Name   string
	Limits Limits
	// TrustedHops is how many proxies in front of this one are believed about whom they forward for.
	TrustedHops uint32
	Unsupported string
}

// Limits bound what clients and endpoints may take. What is nil is as the bootstrap says.
type Limits struct {
	MaxRequestLineBytes, MaxHeaderBytes, MaxFields, MaxTrailerBytes, MaxConcurrentStreams *uint32
	MaxBodyBytes                                                                          *uint64
	HeaderTimeout, IdleTimeout, BodyTimeout, WriteTimeout                                 *time.Duration
	ConnectTimeout, ResponseTimeout, StreamTimeout                                        *time.Duration
	// Of stream routes: for connections, and for the sessions of UDP clients.
	StreamIdleTimeout, DatagramIdleTimeout *time.Duration
	MaxDatagramSessions                    *uint32
}

// limits gives those that are within their bounds; what is not is as the bootstrap says.
func (c *compiler) limits(name string, l Limits) Limits {
	for _, number := range []struct {
		field       string
		value       **uint32
		least, most uint32
	}{
		{"max_request_line_bytes", &l.MaxRequestLineBytes, 1 << 10, 1 << 20},
		{"max_header_bytes", &l.MaxHeaderBytes, 1 << 10, 1 << 20},
		{"max_fields", &l.MaxFields, 1, 10_000},
		{"max_trailer_bytes", &l.MaxTrailerBytes, 0, 1 << 20},
		{"max_concurrent_streams", &l.MaxConcurrentStreams, 1, 10_000},
		{"max_datagram_sessions", &l.MaxDatagramSessions, 1, 1_000_000},
	} {
		if value := *number.value; value != nil && (*value < number.least || *value > number.most) {
			c.fail(name, CodeInvalid, "limits.%s: %d is not between %d and %d", number.field, *value, number.least, number.most)
			*number.value = nil
		}
	}
	if value := l.MaxBodyBytes; value != nil && (*value < 1 || *value > math.MaxInt64) {
		c.fail(name, CodeInvalid, "limits.max_body_bytes: %d is not between 1 and %d", *value, int64(math.MaxInt64))
		l.MaxBodyBytes = nil
	}
	for _, timeout := range []struct {
		field string
		value **time.Duration
		least time.Duration
	}{
		{"header_timeout", &l.HeaderTimeout, minTimeout}, {"idle_timeout", &l.IdleTimeout, minTimeout},
		{"body_timeout", &l.BodyTimeout, minTimeout}, {"write_timeout", &l.WriteTimeout, minTimeout},
		{"connect_timeout", &l.ConnectTimeout, minTimeout}, {"datagram_idle_timeout", &l.DatagramIdleTimeout, minTimeout},
		{"response_timeout", &l.ResponseTimeout, 0}, {"stream_timeout", &l.StreamTimeout, 0}, // 0: none.
		{"stream_idle_timeout", &l.StreamIdleTimeout, 0},
	} {
		value := *timeout.value
		if value == nil || *value == 0 && timeout.least == 0 || *value >= minTimeout && *value <= maxTimeout {
			continue
		}
		c.fail(name, CodeInvalid, "limits.%s: %s is not between %s and %s", timeout.field, *value, minTimeout, maxTimeout)
		*timeout.value = nil
	}
	return l
}

const (
	minTimeout = time.Millisecond
	maxTimeout = 24 * time.Hour
)
