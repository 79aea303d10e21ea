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
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// component is a set of binaries that are built in one of the modules below modules/.
type component struct {
	name     string // of the directory below modules/
	version  string // of the module that the binaries come from
	binaries []binary
	cgo      bool
	tags     string            // build tags, comma separated
	symbols  map[string]string // string variables set by the linker
}

// binary is one program of a component.
type binary struct {
	name string
	pkg  string
	cold string // how long its build takes on two cores with an empty build cache, for the progress line; "" for seconds
}

const (
	kubernetesVersion = "v1.37.2"
	corednsVersion    = "v1.15.0"
	echoVersion       = "v1.6.3"
	versionSymbol     = "k8s.io/component-base/version."
)

var kubernetes = component{
	name: "kubernetes", version: kubernetesVersion,
	binaries: []binary{
		{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", "4 min"},
		{"etcd", "go.etcd.io/etcd/server/v3", "20 s"},
		{"kubectl", "k8s.io/kubernetes/cmd/kubectl", "30 s"},
		{"kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", "1 min"},
		{"kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", "20 s"},
		{"kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy", "20 s"},
		{"kubelet", "k8s.io/kubernetes/cmd/kubelet", "1 min"},
	},
	symbols: map[string]string{
		versionSymbol + "gitVersion": kubernetesVersion, versionSymbol + "gitMajor": "1",
		versionSymbol + "gitMinor": "37", versionSymbol + "gitTreeState": "clean",
	},
}

// assetBinaries is the part of kubernetes that envtest needs; the first ones of its list.
const assetBinaries = 3

var containerd = component{
	name: "containerd", version: "v2.4.2",
	binaries: []binary{
		{"containerd", "github.com/containerd/containerd/v2/cmd/containerd", "1 min"},
		{"containerd-shim-runc-v2", "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2", ""},
		{"ctr", "github.com/containerd/containerd/v2/cmd/ctr", "10 s"},
	},
	symbols: map[string]string{"github.com/containerd/containerd/v2/version.Version": "v2.4.2"},
}

// Without the seccomp tag no sandbox starts, and the tag needs cgo and libseccomp.
var runc = component{
	name: "runc", version: "v1.5.2", cgo: true, tags: "seccomp",
	binaries: []binary{{"runc", "github.com/opencontainers/runc", "15 s"}},
	symbols:  map[string]string{"main.version": "1.5.2"},
}

var plugins = component{
	name: "cni-plugins", version: "v1.9.1",
	binaries: []binary{
		{"ptp", "github.com/containernetworking/plugins/plugins/main/ptp", "10 s"},
		{"loopback", "github.com/containernetworking/plugins/plugins/main/loopback", ""},
		{"host-local", "github.com/containernetworking/plugins/plugins/ipam/host-local", ""},
	},
}

var coredns = component{
	name: "coredns", version: corednsVersion,
	binaries: []binary{{"coredns", "github.com/coredns/coredns", "90 s"}},
}

var echo = component{
	name: "echo-basic", version: echoVersion,
	binaries: []binary{{"echo-basic", "sigs.k8s.io/gateway-api/conformance/echo-basic", "15 s"}},
}

// nodeComponents is all that a cluster needs to run, in the order of building.
func nodeComponents() []component {
	return []component{kubernetes, containerd, runc, plugins, coredns}
}

// cacheRoot is where binaries and images are kept between runs.
func cacheRoot() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the user's cache folder: %w", err)
	}
	return filepath.Join(dir, "rauta", "cluster"), nil
}

// sourceRoot is hack/cluster in the source tree: the linker writes it into the tool when the Makefile builds it.
var sourceRoot string

func moduleDir(name string) (string, error) {
	root := sourceRoot
	if root == "" {
		root = "." // go run . in hack/cluster
	}
	dir := filepath.Join(root, "modules", name)
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return "", fmt.Errorf("finding the module of %s: %w (run the tool through make, or in hack/cluster)", name, err)
	}
	return dir, nil
}

// dir is the cache directory of the component: its name holds the version and a hash of all else that shapes the
// binaries, so that a changed pin or flag is a new directory, and an old checkout still finds its own.
func (c component) dir(goVersion string) (string, error) {
	root, err := cacheRoot()
	if err != nil {
		return "", err
	}
	mod, err := moduleDir(c.name)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(mod, name))
		if err != nil {
			return "", fmt.Errorf("reading the pins of %s: %w", c.name, err)
		}
		_, _ = sum.Write(data) // a hash never fails
	}
	_, _ = fmt.Fprintf(sum, "%s %v %s %s", goVersion, c.cgo, c.tags, c.linkerFlags())
	return filepath.Join(root, "bin", c.name+"-"+c.version+"-"+hex.EncodeToString(sum.Sum(nil))[:12]), nil
}

func (c component) linkerFlags() string {
	flags := []string{"-s", "-w"}
	for _, name := range sortedKeys(c.symbols) {
		flags = append(flags, "-X", name+"="+c.symbols[name])
	}
	return strings.Join(flags, " ")
}
