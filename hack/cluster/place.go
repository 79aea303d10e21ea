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
	"regexp"
)

// The cluster's addresses. All of them exist inside its network namespace only; the ranges are those that RFC 2544
// sets aside for benchmarks, so that they collide with no network that the machine is part of.
const (
	nodeAddress    = "198.18.0.2"
	nodePrefix     = "/24"
	nodeGateway    = "198.18.0.1"
	podRange       = "198.19.64.0/18"
	serviceRange   = "198.19.0.0/20"
	firstService   = "198.19.0.1"  // the kubernetes Service
	dnsAddress     = "198.19.0.10" // the kube-dns Service
	balancerRange  = "198.18.1.0/24"
	balancerStatic = "198.18.1.200" // from here on only on request
	clusterDomain  = "cluster.local"
	nodeName       = "rauta-local"
	apiServer      = "https://" + nodeAddress + ":6443"
)

// markerVariable is in the environment of every process of a cluster that is not in a pod; its value is the cluster's name.
const markerVariable = "RAUTA_CLUSTER"

// place is where one cluster keeps its things. Its name separates clusters: two names never share a file, a cgroup or a
// namespace.
type place struct {
	name string
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)

// herePlace returns the cluster that RAUTA_CLUSTER_NAME names; tests of the tool itself use it to stay out of the way.
func herePlace() (place, error) {
	name := os.Getenv("RAUTA_CLUSTER_NAME")
	if name == "" {
		name = "rauta-cluster"
	}
	if !nameForm.MatchString(name) {
		return place{}, fmt.Errorf("RAUTA_CLUSTER_NAME %q: want lower-case letters, digits and dashes", name)
	}
	return place{name: name}, nil
}

// state is the root of everything that the cluster writes. It holds no mount outside the cluster's mount namespace.
func (p place) state() string { return "/var/lib/" + p.name }

func (p place) path(parts ...string) string {
	return filepath.Join(append([]string{p.state()}, parts...)...)
}

func (p place) lock() string              { return "/run/" + p.name + ".lock" }
func (p place) log(process string) string { return p.path("log", process+".log") }
func (p place) readyFile() string         { return p.path("ready") }
func (p place) containerd() string        { return p.path("containerd.sock") }
func (p place) marker() string            { return markerVariable + "=" + p.name }

// kubeconfig is the path of the kubeconfig of one user of the API: "admin", "scheduler", ...
func (p place) kubeconfig(user string) string { return p.path("kubeconfig", user) }

// certificate is the path of one user's certificate; its key is beside it.
func (p place) certificate(user string) string { return p.path("pki", user+".crt") }
func (p place) key(user string) string         { return p.path("pki", user+".key") }

// needRoot says what to do when the caller may not make namespaces.
func needRoot() error {
	if os.Geteuid() == 0 {
		return nil
	}
	return fmt.Errorf("the local cluster makes namespaces, mounts and cgroups, which takes root: " +
		"run it with sudo, or use CLUSTER=kind or CLUSTER=current")
}
