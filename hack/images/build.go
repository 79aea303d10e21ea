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
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/rauta-dev/rauta/hack/images/archive"
)

// user is who the programs run as: no user of any base image, and the number that many images without one use.
const user = "65532:65532"

// run builds every image for every architecture, or verifies them.
func (o order) run(out io.Writer) error {
	scratch, err := os.MkdirTemp("", "images-*")
	if err != nil {
		return fmt.Errorf("making a scratch directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	target := o.out
	if o.verify {
		target = filepath.Join(scratch, "again")
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return fmt.Errorf("making the directory for archives: %w", err)
	}
	for _, arch := range o.archs {
		for _, image := range o.images {
			file := filepath.Join(target, image.base()+"-"+arch+".tar")
			digest, err := o.build(image, arch, filepath.Join(scratch, arch), file)
			if err != nil {
				return err
			}
			if o.verify {
				if err := same(filepath.Join(o.out, filepath.Base(file)), file); err != nil {
					return err
				}
			}
			o.report(out, image, arch, digest, file)
		}
	}
	return nil
}

func (o order) report(out io.Writer, image named, arch, digest, file string) {
	switch {
	case o.quiet:
		fmt.Fprintln(out, file)
	case o.verify:
		fmt.Fprintf(out, "%s %s %s is reproducible\n", image, arch, digest)
	default:
		fmt.Fprintf(out, "%s %s %s %s\n", image, arch, digest, file)
	}
}

// build compiles the program and packs it.
func (o order) build(image named, arch, scratch, file string) (string, error) {
	base := path.Base(image.pkg)
	program := filepath.Join(scratch, base)
	// What -trimpath leaves out is where the source lies; -buildvcs=false, whether it is a checkout; and -buildid= the
	// name that Go's own cache gives to the build.
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", strings.TrimSpace("-s -w -buildid= " + o.ldflags),
		"-o", program, image.pkg}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=", "GOWORK=off",
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GODEBUG=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s for %s: %w\n%s", image.pkg, arch, err, output)
	}
	digest, err := archive.WriteFile(file, archive.Image{
		Tags:         []string{image.String()},
		Architecture: arch, User: user, Entrypoint: []string{"/" + base},
		Files: []archive.File{{Path: "/" + base, Source: program, Mode: 0o755}},
		Labels: map[string]string{
			"org.opencontainers.image.title":    image.base(),
			"org.opencontainers.image.version":  image.tag,
			"org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.source":   "https://github.com/rauta-dev/rauta",
		},
	})
	if err != nil {
		return "", fmt.Errorf("packing %s for %s: %w", image.base(), arch, err)
	}
	return digest, nil
}

// same compares two files byte for byte.
func same(first, second string) error {
	a, err := os.ReadFile(first)
	if err != nil {
		return fmt.Errorf("comparing: %w (build the images first)", err)
	}
	b, err := os.ReadFile(second)
	if err != nil {
		return fmt.Errorf("comparing: %w", err)
	}
	if bytes.Equal(a, b) {
		return nil
	}
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	return fmt.Errorf("%s is not reproducible: another build of it differs from byte %d on (%d and %d bytes)",
		first, at, len(a), len(b))
}
