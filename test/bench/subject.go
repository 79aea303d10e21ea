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
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// site is what a subject has to serve in one scenario.
type site struct {
	// folder for the subject's files.
	folder string
	port   int
	// health is another free port.
	health  int
	backend int
	tls     bool
	grpc    bool
	// datagrams has the subject relay those of UDP, and nothing else.
	datagrams bool
	// stream has the subject relay connections as they come, and nothing else; with tls by the server name that is asked for.
	stream bool
	// secured has the subject speak TLS to the backend, and verify its certificate.
	secured bool
	routes  []route
	// flood has the subject listen on another port, flooded, for streams and datagrams; datagramsBehind is where those go.
	flood                    flood
	flooded, datagramsBehind int
	// certificate and key are files in PEM; bundle holds both.
	certificate, key, bundle string
}

// subject is a proxy that is measured.
type subject struct {
	name string
	// program and the arguments that make it print its version.
	program string
	version []string
	// configure writes the subject's files and gives the arguments to start it with; errUnable where there is nothing to write.
	configure func(s site) ([]string, error)
	// probed says that a failed probe means that the subject cannot do the scenario. Where the others fail, it is the
	// benchmark that is broken.
	probed bool
}

// errUnable says that a subject cannot do a scenario at all.
var errUnable = errors.New("it has no such feature")

// subjectsOf gives the subjects that a list names, all for an empty list.
func subjectsOf(list, proxy string) ([]subject, error) {
	all := []subject{
		{name: "rauta", program: proxy, version: []string{"--version"}, configure: configureRauta, probed: true},
		{name: "nginx", program: "nginx", version: []string{"-v"}, configure: configureNginx},
		{name: "haproxy", program: "haproxy", version: []string{"-v"}, configure: configureHAProxy},
	}
	names := separated(list)
	if len(names) == 0 {
		return all, nil
	}
	var chosen []subject
	for _, s := range all {
		if names[s.name] {
			chosen = append(chosen, s)
			delete(names, s.name)
		}
	}
	for name := range names {
		return nil, fmt.Errorf("there is no subject %q; there are rauta, nginx and haproxy", name)
	}
	return chosen, nil
}

// write puts a file into the site's folder and gives its path.
func (s site) write(name, content string) (string, error) {
	file := filepath.Join(s.folder, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		return "", err
	}
	return file, nil
}
