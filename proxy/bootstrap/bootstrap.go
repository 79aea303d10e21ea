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

// Package bootstrap reads the file that a proxy is started with: who it is, where it listens for its operator and for
// probes, and its limits. Routes never come from it.
package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"go.yaml.in/yaml/v3"
)

// Bootstrap is the content of the file. Fields that are absent have the defaults that Parse names.
type Bootstrap struct {
	Gateway Gateway `yaml:"gateway"`
	// Admin is where the operator connects; absent in a proxy that runs by itself.
	Admin *Admin `yaml:"admin"`
	// Peers are the other replicas; absent where they are not asked for their table, nor given this one's.
	Peers  *Peers `yaml:"peers"`
	Health Health `yaml:"health"`
	Log    Log    `yaml:"log"`
	Drain  Drain  `yaml:"drain"`
	Limits Limits `yaml:"limits"`
	State  State  `yaml:"state"`
}

// Gateway is the Gateway whose proxy this is.
type Gateway struct {
	Namespace string `yaml:"namespace"`
	Name      string `yaml:"name"`
}

// Admin is the admin API: its address, who speaks on it, and the files with the proof of it.
type Admin struct {
	Address string `yaml:"address"`
	// Identity is the URI that the proxy's own certificate must carry.
	Identity string `yaml:"identity"`
	// Operator is the URI that the certificate of a client must carry.
	Operator string `yaml:"operator"`
	// Certificate, Key and CA are files in PEM. They may be replaced at any time.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	CA          string `yaml:"ca"`
}

// Peers are the other replicas of the Gateway, which prove themselves by the same identity as this one.
type Peers struct {
	// Address on which this replica gives them its table. They have the same port.
	Address string `yaml:"address"`
	// Name in DNS that stands for the addresses of all replicas, and of nobody else.
	Name string `yaml:"name"`
}

// Health is where /healthz and /readyz are answered. Default ":19080".
type Health struct {
	Address string `yaml:"address"`
}

// Log level: debug, info, warn or error. Default info.
type Log struct {
	Level string `yaml:"level"`
}

// Drain is what happens after SIGTERM: connections are accepted for Delay (default 5s), then what is in flight has
// Timeout (default 30s) to finish.
type Drain struct {
	Delay   Duration `yaml:"delay"`
	Timeout Duration `yaml:"timeout"`
}

// State is what outlives a restart of the container: the last table that the operator committed. Directory must be
// writable; when it is empty, nothing is kept.
type State struct {
	Directory string `yaml:"directory"`
}

// Limits bound what clients, endpoints and the operator may take.
type Limits struct {
	// MaxRequestLine is the size of a request line in bytes. Default 16,384.
	MaxRequestLine int `yaml:"maxRequestLine"`
	// MaxHeaderBytes of a request's head. Default 65,536.
	MaxHeaderBytes int `yaml:"maxHeaderBytes"`
	// MaxFields is the number of field lines of a request. Default 128.
	MaxFields int `yaml:"maxFields"`
	// MaxBodyBytes of a request's content; 0 for no limit, which is the default: content is never held whole.
	MaxBodyBytes int64 `yaml:"maxBodyBytes"`
	// MaxTrailerBytes of a trailer section. Default 8,192.
	MaxTrailerBytes int `yaml:"maxTrailerBytes"`
	// MaxConcurrentStreams of a client's HTTP/2 connection. Default 128.
	MaxConcurrentStreams int `yaml:"maxConcurrentStreams"`
	// MaxConnections of clients at one time. Default 50,000.
	MaxConnections int `yaml:"maxConnections"`
	// HeaderTimeout for a request's head to arrive. Default 30s.
	HeaderTimeout Duration `yaml:"headerTimeout"`
	// IdleTimeout between two requests of a client's connection. Default 120s.
	IdleTimeout Duration `yaml:"idleTimeout"`
	// BodyTimeout for the next piece of a request's content. Default 60s.
	BodyTimeout Duration `yaml:"bodyTimeout"`
	// WriteTimeout for a client or an endpoint to take the next piece of what is sent to it. Default 60s.
	WriteTimeout Duration `yaml:"writeTimeout"`
	// ConnectTimeout for a connection to an endpoint. Default 5s.
	ConnectTimeout Duration `yaml:"connectTimeout"`
	// ResponseTimeout from the end of a request to the head of its response. Default 60s.
	ResponseTimeout Duration `yaml:"responseTimeout"`
	// StreamTimeout for the next piece of a response's content; 0s for no limit. Default 5m.
	StreamTimeout Duration `yaml:"streamTimeout"`
	// StreamIdleTimeout of a connection of TCP or TLS routes, without a byte in either direction; 0s for no limit. Default 1h.
	StreamIdleTimeout Duration `yaml:"streamIdleTimeout"`
	// DatagramIdleTimeout of a UDP client's session, without a datagram in either direction. Default 60s.
	DatagramIdleTimeout Duration `yaml:"datagramIdleTimeout"`
	// MaxDatagramSessions of UDP clients at one time. Default 10,000.
	MaxDatagramSessions int `yaml:"maxDatagramSessions"`
	// MaxTableBytes of a table as the operator sends it. Default 268,435,456.
	MaxTableBytes int `yaml:"maxTableBytes"`
}

// Duration is a time.Duration written as "5s".
type Duration time.Duration

// UnmarshalYAML reads Go's notation of durations.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := time.ParseDuration(node.Value)
	if err != nil || parsed < 0 {
		return fmt.Errorf("line %d: %q is not a duration such as 5s", node.Line, node.Value)
	}
	*d = Duration(parsed)
	return nil
}

// Read reads and checks a file.
func Read(file string) (*Bootstrap, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read bootstrap: %w", err)
	}
	b, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("bootstrap %s: %w", file, err)
	}
	return b, nil
}

// Parse reads and checks the content of a file. Fields that are not known are errors.
func Parse(data []byte) (*Bootstrap, error) {
	b := Default()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(b); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	return b, nil
}

// Default is what an empty file says.
func Default() *Bootstrap {
	return &Bootstrap{
		Health: Health{Address: ":19080"},
		Log:    Log{Level: "info"},
		Drain:  Drain{Delay: Duration(5 * time.Second), Timeout: Duration(30 * time.Second)},
		Limits: Limits{
			MaxRequestLine:       16 << 10,
			MaxHeaderBytes:       64 << 10,
			MaxFields:            128,
			MaxTrailerBytes:      8 << 10,
			MaxConnections:       50_000,
			MaxConcurrentStreams: 128,
			HeaderTimeout:        Duration(30 * time.Second),
			IdleTimeout:          Duration(120 * time.Second),
			BodyTimeout:          Duration(60 * time.Second),
			WriteTimeout:         Duration(60 * time.Second),
			ConnectTimeout:       Duration(5 * time.Second),
			ResponseTimeout:      Duration(60 * time.Second),
			StreamTimeout:        Duration(5 * time.Minute),
			StreamIdleTimeout:    Duration(time.Hour),
			DatagramIdleTimeout:  Duration(60 * time.Second),
			MaxDatagramSessions:  10_000,
			MaxTableBytes:        256 << 20,
		},
	}
}

func (b *Bootstrap) check() error {
	if err := checkAddress("health.address", b.Health.Address); err != nil {
		return err
	}
	switch b.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		return fmt.Errorf("log.level: %q is not one of debug, info, warn, error", b.Log.Level)
	}
	for _, limit := range []struct {
		field string
		value int
	}{
		{"limits.maxRequestLine", b.Limits.MaxRequestLine},
		{"limits.maxFields", b.Limits.MaxFields},
		{"limits.maxTrailerBytes", b.Limits.MaxTrailerBytes},
		{"limits.maxHeaderBytes", b.Limits.MaxHeaderBytes},
		{"limits.maxConnections", b.Limits.MaxConnections},
		{"limits.maxConcurrentStreams", b.Limits.MaxConcurrentStreams},
		{"limits.maxDatagramSessions", b.Limits.MaxDatagramSessions},
		{"limits.maxTableBytes", b.Limits.MaxTableBytes},
	} {
		if limit.value <= 0 {
			return fmt.Errorf("%s: %d is not above 0", limit.field, limit.value)
		}
	}
	if b.Limits.MaxBodyBytes < 0 {
		return fmt.Errorf("limits.maxBodyBytes: %d is below 0", b.Limits.MaxBodyBytes)
	}
	if b.Admin != nil {
		if err := b.Admin.check(); err != nil {
			return err
		}
	}
	return b.checkPeers()
}

func (b *Bootstrap) checkPeers() error {
	if b.Peers == nil {
		return nil
	}
	if b.Admin == nil {
		return errors.New("peers: need the identity of admin, which is not given")
	}
	if b.Peers.Name == "" {
		return errors.New("peers.name: must be given")
	}
	return checkAddress("peers.address", b.Peers.Address)
}

func (a *Admin) check() error {
	if err := checkAddress("admin.address", a.Address); err != nil {
		return err
	}
	for _, required := range []struct{ field, value string }{
		{"admin.identity", a.Identity},
		{"admin.operator", a.Operator},
		{"admin.certificate", a.Certificate},
		{"admin.key", a.Key},
		{"admin.ca", a.CA},
	} {
		if required.value == "" {
			return fmt.Errorf("%s: must be given", required.field)
		}
	}
	return nil
}

func checkAddress(field, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}
