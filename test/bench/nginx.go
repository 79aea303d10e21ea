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
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// nginxGlobal is common to nginx as a subject and as a backend: one worker, nothing written per request, and no
// connection closed for the number of its requests, because a generator would count that as an error.
const nginxGlobal = `
daemon off;
%[1]sworker_processes 1;
pid %[2]s/nginx.pid;
error_log stderr error;
events { worker_connections 32768; }
http {
  access_log off;
  default_type text/plain;
  keepalive_requests 1000000000;
  keepalive_timeout 120s;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
`

// nginxProxy forwards as the proxy does: kept connections to the backend, the same fields added. Contents stay in
// memory, as the other subjects keep them, and large ones pass in larger pieces than by default, which costs nginx
// less.
const nginxProxy = `
  client_max_body_size 0;
  client_body_buffer_size 128k;
  proxy_max_temp_file_size 0;
  proxy_buffers 8 32k;
  proxy_busy_buffers_size 64k;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $host;
  proxy_set_header X-Forwarded-Port $server_port;
  proxy_connect_timeout 5s;
  proxy_read_timeout 60s;
  grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  server_names_hash_max_size 16384;
  upstream backend {
    server 127.0.0.1:%d;
    keepalive 512;
    keepalive_requests 1000000000;
  }
`

// nginxStreams relays connections, or the datagrams of a client, to the backend for as long as they are not idle for a minute.
// Its buffers of 16 KiB would cost it a quarter more of CPU for a byte of TCP.
const nginxStreams = `
load_module %[3]s;
daemon off;
%[1]sworker_processes 1;
pid %[2]s/nginx.pid;
error_log stderr error;
events { worker_connections 32768; }
stream {
  upstream backend { server 127.0.0.1:%[4]d; }
  proxy_buffer_size 64k;
  proxy_timeout 60s;
  %[5]s
}
`

// nginxRelay is the server of nginxStreams: for datagrams, for connections, and for those of TLS by the server name.
func nginxRelay(s site) string {
	switch {
	case s.datagrams:
		return fmt.Sprintf("server { listen 127.0.0.1:%d udp reuseport; proxy_pass backend; }", s.port)
	case s.tls:
		names := "map $ssl_preread_server_name $named {"
		for _, name := range []string{wrkHost, routeOf(0).host} {
			names += " " + name + " backend;"
		}
		return fmt.Sprintf("%s }\n  server { listen 127.0.0.1:%d backlog=4096; ssl_preread on; proxy_pass $named; }", names, s.port)
	default:
		return fmt.Sprintf("server { listen 127.0.0.1:%d backlog=4096; proxy_pass backend; }", s.port)
	}
}

// nginxSecured has nginx speak TLS 1.3 to the backend.
const nginxSecured = `
  proxy_ssl_protocols TLSv1.3;
  proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  proxy_ssl_trusted_certificate %s;
  proxy_ssl_verify on;
  proxy_ssl_server_name on;
  proxy_ssl_name %s;
`

func configureNginx(s site) ([]string, error) {
	if s.flood != "" {
		return nil, fmt.Errorf("%w: what a flood costs is compared with none", errUnable)
	}
	if s.datagrams || s.stream {
		file, err := s.write("nginx.conf", fmt.Sprintf(nginxStreams, nginxUser(), s.folder, nginxStreamModule, s.backend, nginxRelay(s)))
		return []string{"-c", file, "-p", s.folder}, err
	}
	var text strings.Builder
	fmt.Fprintf(&text, nginxGlobal, nginxUser(), s.folder)
	fmt.Fprintf(&text, nginxProxy, s.backend)
	listen := fmt.Sprintf("listen 127.0.0.1:%d", s.port)
	pass := "proxy_pass http://backend;"
	if s.secured {
		fmt.Fprintf(&text, nginxSecured, s.certificate, routeOf(0).host)
		pass = "proxy_pass https://backend;"
	}
	if s.tls {
		listen += " ssl http2"
		fmt.Fprintf(&text, "  ssl_certificate %s;\n  ssl_certificate_key %s;\n", s.certificate, s.key)
		text.WriteString("  ssl_protocols TLSv1.3;\n  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;\n")
	}
	if s.grpc {
		listen += " http2"
		pass = "grpc_pass grpc://backend;"
	}
	hosts := make(map[string][]string)
	for _, r := range s.routes {
		hosts[r.host] = append(hosts[r.host], r.prefix)
	}
	fmt.Fprintf(&text, "  server { %s default_server backlog=4096; return 404; }\n", listen)
	for _, host := range sortedKeys(hosts) {
		fmt.Fprintf(&text, "  server { %s; server_name %s;\n", listen, host)
		for _, prefix := range hosts[host] {
			fmt.Fprintf(&text, "    location %s/ { %s }\n", prefix, pass)
		}
		text.WriteString("  }\n")
	}
	text.WriteString("}\n")
	file, err := s.write("nginx.conf", text.String())
	if err != nil {
		return nil, err
	}
	return []string{"-c", file, "-p", s.folder}, nil
}

// nginxBackend gives the arguments of an nginx that answers by itself.
func nginxBackend(folder string, port, secured int, shown certificateFiles) ([]string, error) {
	s := site{folder: folder}
	large := filepath.Join(folder, "1mib")
	if err := os.WriteFile(large, make([]byte, largeBytes), 0o600); err != nil {
		return nil, err
	}
	file, err := s.write("nginx.conf", fmt.Sprintf(nginxGlobal, nginxUser(), folder)+fmt.Sprintf(`
  server {
    listen 127.0.0.1:%d backlog=4096;
    listen 127.0.0.1:%d backlog=4096 ssl;
    ssl_certificate %s;
    ssl_certificate_key %s;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    location = %s { alias %s; }
    location / { return 200 %q; }
  }
}
`, port, secured, shown.certificate, shown.key, largePath, large, smallBody))
	if err != nil {
		return nil, err
	}
	return []string{"-c", file, "-p", folder}, nil
}

// nginxUser keeps the worker's user that of the master, who owns the files; only root may say so.
func nginxUser() string {
	if os.Geteuid() != 0 {
		return ""
	}
	return "user root root;\n"
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
