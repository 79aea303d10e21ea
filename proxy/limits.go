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

package proxy

import (
	"time"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/datagram"
	"github.com/rauta-dev/rauta/proxy/http1"
	"github.com/rauta-dev/rauta/proxy/http2"
	"github.com/rauta-dev/rauta/proxy/listen"
	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/stream"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// tune applies the limits of a table: to the codecs and clients that there are, and to those to come. Each exchange goes
// on with those that it began with.
func (p *Proxy) tune(wanted config.Limits) {
	asked := overlay(p.config.Bootstrap.Limits, wanted)
	limits, _ := affordable(asked, p.openable)
	if before := p.limits.Swap(&limits); before.MaxDatagramSessions != limits.MaxDatagramSessions {
		tellAffordable(p.config.Logger, asked, limits, p.openable)
	}
	p.streams.SetLimits(streamLimits(limits))
	p.datagrams.SetLimits(datagramLimits(limits))
	p.sockets.Each(func(codecs listen.Codecs) {
		if server, ok := codecs.HTTP1.(*http1.Server); ok {
			server.SetLimits(serverLimits(limits))
		}
		if server, ok := codecs.HTTP2.(*http2.Server); ok {
			server.SetLimits(serverLimits(limits))
		}
	})
	p.pool.Each(func(transport upstream.Transport) {
		switch client := transport.(type) {
		case *http1.Client:
			client.SetLimits(clientLimits(limits))
		case *http2.Client:
			client.SetLimits(clientLimits(limits))
		}
	})
}

// overlay gives the limits of the bootstrap with those that a table sets.
func overlay(limits bootstrap.Limits, wanted config.Limits) bootstrap.Limits {
	for _, number := range []struct {
		into  *int
		value *uint32
	}{
		{&limits.MaxRequestLine, wanted.MaxRequestLineBytes}, {&limits.MaxHeaderBytes, wanted.MaxHeaderBytes},
		{&limits.MaxFields, wanted.MaxFields}, {&limits.MaxTrailerBytes, wanted.MaxTrailerBytes},
	} {
		if number.value != nil {
			*number.into = max(int(*number.value), 1) // Where 0 would mean the default, 1 lets nothing in either.
		}
	}
	if wanted.MaxConcurrentStreams != nil {
		limits.MaxConcurrentStreams = int(*wanted.MaxConcurrentStreams)
	}
	if wanted.MaxDatagramSessions != nil {
		limits.MaxDatagramSessions = int(*wanted.MaxDatagramSessions)
	}
	if wanted.MaxBodyBytes != nil {
		limits.MaxBodyBytes = int64(*wanted.MaxBodyBytes)
	}
	for _, timeout := range []struct {
		into  *bootstrap.Duration
		value *time.Duration
	}{
		{&limits.HeaderTimeout, wanted.HeaderTimeout}, {&limits.IdleTimeout, wanted.IdleTimeout},
		{&limits.BodyTimeout, wanted.BodyTimeout}, {&limits.WriteTimeout, wanted.WriteTimeout},
		{&limits.ConnectTimeout, wanted.ConnectTimeout}, {&limits.ResponseTimeout, wanted.ResponseTimeout},
		{&limits.StreamTimeout, wanted.StreamTimeout},
		{&limits.StreamIdleTimeout, wanted.StreamIdleTimeout}, {&limits.DatagramIdleTimeout, wanted.DatagramIdleTimeout},
	} {
		if timeout.value != nil {
			*timeout.into = bootstrap.Duration(*timeout.value)
		}
	}
	return limits
}

func serverLimits(limits bootstrap.Limits) message.Limits {
	return message.Limits{
		MaxRequestLine:       limits.MaxRequestLine,
		MaxHeaderBytes:       limits.MaxHeaderBytes,
		MaxFields:            limits.MaxFields,
		MaxBodyBytes:         limits.MaxBodyBytes,
		MaxTrailerBytes:      limits.MaxTrailerBytes,
		MaxConcurrentStreams: uint32(min(max(limits.MaxConcurrentStreams, 1), 10_000)),
		HeaderTimeout:        time.Duration(limits.HeaderTimeout),
		IdleTimeout:          time.Duration(limits.IdleTimeout),
		BodyTimeout:          time.Duration(limits.BodyTimeout),
		WriteTimeout:         time.Duration(limits.WriteTimeout),
	}
}

func clientLimits(limits bootstrap.Limits) message.ClientLimits {
	return message.ClientLimits{
		ConnectTimeout:  time.Duration(limits.ConnectTimeout),
		HeaderTimeout:   time.Duration(limits.ResponseTimeout),
		BodyTimeout:     time.Duration(limits.StreamTimeout),
		WriteTimeout:    time.Duration(limits.WriteTimeout),
		MaxTrailerBytes: limits.MaxTrailerBytes,
	}
}

func streamLimits(limits bootstrap.Limits) stream.Limits {
	return stream.Limits{
		ConnectTimeout: time.Duration(limits.ConnectTimeout),
		WriteTimeout:   time.Duration(limits.WriteTimeout),
		IdleTimeout:    time.Duration(limits.StreamIdleTimeout),
	}
}

func datagramLimits(limits bootstrap.Limits) datagram.Limits {
	return datagram.Limits{IdleTimeout: time.Duration(limits.DatagramIdleTimeout), MaxSessions: limits.MaxDatagramSessions}
}
