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

// Command images builds container images without Docker: each holds one static Go program on an empty base, runs as a
// user without rights, and is the same byte for byte whenever and wherever it is built from the same source with the
// same Go. Usage, in the root of the Go module:
//
//	images [flags] REGISTRY/NAME:TAG=PACKAGE...
//
// For every image and architecture it writes NAME-ARCH.tar, which docker load, ctr images import and kind load
// image-archive read. The program is /<last part of PACKAGE>, and the image's entrypoint.
package main

import (
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

func main() {
	order, err := parseOrder(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(2)
	}
	if err := order.run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

// order is what one call of the command is to build.
type order struct {
	out     string // directory for the archives
	ldflags string // beside the fixed ones
	verify  bool   // compare with what is in out instead of writing there
	quiet   bool   // print the archives' paths and nothing else
	archs   []string
	images  []named
}

// named is an image's full name and the Go package of its program, such as ./cmd/proxy.
type named struct{ repository, tag, pkg string }

// base is the last part of the repository: what the archive is called.
func (n named) base() string { return path.Base(n.repository) }

func (n named) String() string { return n.repository + ":" + n.tag }

func parseOrder(args []string) (order, error) {
	var o order
	var archs string
	set := flag.NewFlagSet("images", flag.ContinueOnError)
	set.StringVar(&o.out, "out", "dist/images", "directory for the archives")
	set.StringVar(&o.ldflags, "ldflags", "", "linker flags beside -s -w -buildid=")
	set.StringVar(&archs, "archs", "amd64,arm64", "architectures, separated by commas")
	set.BoolVar(&o.quiet, "quiet", false, "print the paths of the archives and nothing else")
	set.BoolVar(&o.verify, "verify", false, "build again elsewhere, and compare with the archives in the directory")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	for arch := range strings.SplitSeq(archs, ",") {
		if arch = strings.TrimSpace(arch); arch != "" {
			o.archs = append(o.archs, arch)
		}
	}
	for _, arg := range set.Args() {
		one, err := parseNamed(arg)
		if err != nil {
			return o, err
		}
		if slices.ContainsFunc(o.images, func(other named) bool { return other.base() == one.base() }) {
			return o, fmt.Errorf("argument %q: another image has the name %s too", arg, one.base())
		}
		o.images = append(o.images, one)
	}
	if len(o.images) == 0 || len(o.archs) == 0 {
		return o, fmt.Errorf("nothing to build: want at least one REGISTRY/NAME:TAG=PACKAGE and one architecture")
	}
	return o, nil
}

func parseNamed(arg string) (named, error) {
	name, pkg, ok := strings.Cut(arg, "=")
	at := strings.LastIndex(name, ":")
	// A colon before a slash is that of a registry's port.
	if base := path.Base(pkg); !ok || base == "." || base == "/" || at <= 0 || at == len(name)-1 || strings.Contains(name[at:], "/") {
		return named{}, fmt.Errorf("argument %q: want REGISTRY/NAME:TAG=PACKAGE, such as rauta.dev/rauta-proxy:dev=./cmd/proxy", arg)
	}
	return named{repository: name[:at], tag: name[at+1:], pkg: pkg}, nil
}
