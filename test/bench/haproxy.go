//go:build linux

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

package main

import (
	"fmt"
	"strings"
)

// haproxyConfig: one thread, kept connections shared by all clients, the same fields added as by the other subjects.
// Routes are looked up in a map by host and path, HAProxy's own way for many of them.
const haproxyConfig = `
global
  nbthread 1
  maxconn 16384
  no strict-limits
  log stderr local0 err
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
  ssl-default-server-options ssl-min-ver TLSv1.3
  ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
defaults
  mode http
  option http-keep-alive
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout client 120s
  timeout server 60s
  timeout http-request 30s
  timeout http-keep-alive 120s
frontend bench
  bind 127.0.0.1:%[1]d backlog 4096%[2]s
  http-request set-header X-Forwarded-Proto %[3]s
  http-request set-header X-Forwarded-Host %%[req.hdr(host)]
  http-request set-header X-Forwarded-Port %%[dst_port]
  use_backend %%[base,map_beg(%[4]s)]
  default_backend none
backend none
  http-request return status 404
backend bench
  server backend 127.0.0.1:%[5]d%[6]s
`

// haproxyStream relays connections as they come, through the kernel alone where that is possible.
const haproxyStream = `
global
  nbthread 1
  maxconn 16384
  no strict-limits
  log stderr local0 err
defaults
  mode tcp
  option splice-request
  option splice-response
  timeout connect 5s
  timeout client 120s
  timeout server 120s
`

const haproxyRelay = `
listen bench
  bind 127.0.0.1:%[1]d backlog 4096
  server backend 127.0.0.1:%[2]d
`

// haproxyPassthrough does the same with TLS, by the server name.
const haproxyPassthrough = `
frontend bench
  bind 127.0.0.1:%[1]d backlog 4096
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend bench if { req.ssl_sni -i %[3]s %[4]s }
backend bench
  server backend 127.0.0.1:%[2]d
`

func configureHAProxy(s site) ([]string, error) {
	if s.flood != "" {
		return nil, fmt.Errorf("%w: what a flood costs is compared with none", errUnable)
	}
	if s.datagrams {
		return nil, fmt.Errorf("%w: HAProxy relays datagrams for syslog alone", errUnable)
	}
	if s.stream {
		relay := fmt.Sprintf(haproxyRelay, s.port, s.backend)
		if s.tls {
			relay = fmt.Sprintf(haproxyPassthrough, s.port, s.backend, wrkHost, routeOf(0).host)
		}
		file, err := s.write("haproxy.cfg", haproxyStream+relay)
		return []string{"-db", "-f", file}, err
	}
	var routes strings.Builder
	for _, r := range s.routes {
		fmt.Fprintf(&routes, "%s%s/ bench\n", r.host, r.prefix)
	}
	routed, err := s.write("routes.map", routes.String())
	if err != nil {
		return nil, err
	}
	bind, scheme, server := "", "http", ""
	if s.tls {
		bind, scheme = " ssl crt "+s.bundle+" alpn h2,http/1.1", "https"
	}
	if s.secured {
		server = fmt.Sprintf(" ssl verify required ca-file %s sni str(%s) verifyhost %s", s.certificate, routeOf(0).host, routeOf(0).host)
	}
	if s.grpc {
		bind, server = " proto h2", " proto h2"
	}
	file, err := s.write("haproxy.cfg", fmt.Sprintf(haproxyConfig, s.port, bind, scheme, routed, s.backend, server))
	if err != nil {
		return nil, err
	}
	return []string{"-db", "-f", file}, nil
}
