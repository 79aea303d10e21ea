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
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// configureRauta runs the proxy by itself, with its defaults. Whether it can serve the site is found out by starting it:
// a table that it does not understand ends it, with the field in its last words.
func configureRauta(s site) ([]string, error) {
	bootstrap, err := s.write("bootstrap.yaml", fmt.Sprintf(`
gateway: {namespace: bench, name: bench}
health: {address: "127.0.0.1:%d"}
log: {level: warn}
drain: {delay: 0s, timeout: 1s}
`, s.health))
	if err != nil {
		return nil, err
	}
	table, err := rautaTable(s)
	if err != nil {
		return nil, err
	}
	resources, err := s.write("resources.yaml", table)
	if err != nil {
		return nil, err
	}
	return []string{"--bootstrap", bootstrap, "--resources", resources}, nil
}

const rautaDatagrams = `resources:
- {name: listener/bench, listener: {port: %d, protocol: PROTOCOL_UDP}}
- {name: backend/bench, backend: {protocol: BACKEND_PROTOCOL_UDP, endpoints: endpoints/bench}}
- {name: endpoints/bench, endpoints: {endpoints: [{address: 127.0.0.1, port: %d, state: ENDPOINT_STATE_READY}]}}
- name: route/udproute/bench/r
  stream_route:
    attachments: [{listener: listener/bench}]
    backends: [{backend: backend/bench, weight: 1}]
    origin: {kind: UDPRoute, namespace: bench, name: r}
`

const rautaStream = `resources:
- {name: listener/bench, listener: {port: %d, protocol: PROTOCOL_TCP}}
- {name: backend/bench, backend: {protocol: BACKEND_PROTOCOL_TCP, endpoints: endpoints/bench}}
- {name: endpoints/bench, endpoints: {endpoints: [{address: 127.0.0.1, port: %d, state: ENDPOINT_STATE_READY}]}}
- name: route/tcproute/bench/r
  stream_route:
    attachments: [{listener: listener/bench}]
    backends: [{backend: backend/bench, weight: 1}]
    origin: {kind: TCPRoute, namespace: bench, name: r}
`

const rautaPassthrough = `resources:
- {name: listener/bench, listener: {port: %d, protocol: PROTOCOL_TLS, passthrough: true}}
- {name: backend/bench, backend: {protocol: BACKEND_PROTOCOL_TCP, endpoints: endpoints/bench}}
- {name: endpoints/bench, endpoints: {endpoints: [{address: 127.0.0.1, port: %d, state: ENDPOINT_STATE_READY}]}}
- name: route/tlsroute/bench/r
  stream_route:
    attachments: [{listener: listener/bench, hostnames: [%s, %s]}]
    backends: [{backend: backend/bench, weight: 1}]
    origin: {kind: TLSRoute, namespace: bench, name: r}
`

// rautaTable is a Resources message (api/admin/v1) in YAML.
func rautaTable(s site) (string, error) {
	if s.datagrams {
		return fmt.Sprintf(rautaDatagrams, s.port, s.backend), nil
	}
	if s.stream && s.tls {
		return fmt.Sprintf(rautaPassthrough, s.port, s.backend, wrkHost, routeOf(0).host), nil
	}
	if s.stream {
		return fmt.Sprintf(rautaStream, s.port, s.backend), nil
	}
	var table strings.Builder
	table.WriteString("resources:\n")
	listener := fmt.Sprintf("port: %d, protocol: PROTOCOL_HTTP", s.port)
	if s.tls {
		certificate, err := rautaCertificate(s)
		if err != nil {
			return "", err
		}
		table.WriteString(certificate)
		listener = fmt.Sprintf("port: %d, protocol: PROTOCOL_HTTPS, certificates: [certificate/bench]", s.port)
	}
	protocol := "BACKEND_PROTOCOL_HTTP1"
	if s.grpc {
		protocol = "BACKEND_PROTOCOL_H2C"
	}
	fmt.Fprintf(&table, "- {name: listener/bench, listener: {%s}}\n", listener)
	secured, err := rautaSecured(s)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&table, "- {name: backend/bench, backend: {protocol: %s, endpoints: endpoints/bench%s}}\n", protocol, secured)
	fmt.Fprintf(&table, "- {name: endpoints/bench, endpoints: {endpoints: [{address: 127.0.0.1, port: %d, state: ENDPOINT_STATE_READY}]}}\n", s.backend)
	for n, r := range s.routes {
		fmt.Fprintf(&table, `- name: route/httproute/bench/r%d
  route:
    attachments: [{listener: listener/bench, hostnames: [%s]}]
    rules: [{matches: [{path: {type: PATH_MATCH_TYPE_PREFIX, value: %s}}], backends: [{backend: backend/bench, weight: 1}]}]
    origin: {kind: HTTPRoute, namespace: bench, name: r%d}
`, n, r.host, r.prefix, n)
	}
	table.WriteString(rautaFlooded(s))
	return table.String(), nil
}

// rautaSecured is how the backend is known, where TLS is spoken to it.
func rautaSecured(s site) (string, error) {
	if !s.secured {
		return "", nil
	}
	authorities, err := os.ReadFile(s.certificate)
	if err != nil {
		return "", err
	}
	content, err := json.Marshal(map[string]any{"hostname": routeOf(0).host, "authorities": authorities})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(", tls: %s", content), nil
}

// rautaCertificate is a certificate with its key as a resource.
func rautaCertificate(s site) (string, error) {
	chain, err := os.ReadFile(s.certificate)
	if err != nil {
		return "", err
	}
	key, err := os.ReadFile(s.key)
	if err != nil {
		return "", err
	}
	// Bytes in protobuf's JSON mapping are base64, which is how encoding/json writes them.
	content, err := json.Marshal(map[string][]byte{"chain": chain, "key": key})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("- {name: certificate/bench, certificate: %s}\n", content), nil
}
