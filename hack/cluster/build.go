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
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// binaries maps a program's name to its path in the cache.
type binaries map[string]string

// build makes sure that the first count binaries of c are in the cache, all of them when count is 0, and adds their
// paths to found. Progress goes to out, one line for each binary that has to be built.
func (c component) build(out io.Writer, count int, found binaries) error {
	goVersion, err := goOutput("env", "GOVERSION")
	if err != nil {
		return err
	}
	dir, err := c.dir(goVersion)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the cache of %s: %w", c.name, err)
	}
	removeAbandoned(dir)
	wanted := c.binaries
	if count > 0 {
		wanted = wanted[:count]
	}
	for _, b := range wanted {
		target := filepath.Join(dir, b.name)
		found[b.name] = target
		if _, err := os.Stat(target); err == nil {
			continue
		}
		if err := c.buildOne(out, b, target); err != nil {
			return err
		}
	}
	return nil
}

// removeAbandoned removes the temporary files of builds whose process is gone.
func removeAbandoned(dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.tmp")) // the pattern is well formed
	for _, file := range files {
		parts := strings.Split(filepath.Base(file), ".")
		if _, err := os.Stat("/proc/" + parts[max(0, len(parts)-2)]); errors.Is(err, fs.ErrNotExist) {
			_ = os.Remove(file) // it is tidiness alone
		}
	}
}

// buildOne builds into a temporary file and renames it, so that an interrupted build leaves no half of a program.
func (c component) buildOne(out io.Writer, b binary, target string) error {
	mod, err := moduleDir(c.name)
	if err != nil {
		return err
	}
	hint := "some seconds"
	if b.cold != "" {
		hint = "about " + b.cold
	}
	fmt.Fprintf(out, "building %s %s (%s when nothing of it is in Go's build cache)...\n", b.name, c.version, hint)
	started := time.Now()

	temporary := fmt.Sprintf("%s.%d.tmp", target, os.Getpid())
	defer func() { _ = os.Remove(temporary) }()
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", c.linkerFlags(), "-o", temporary}
	if c.tags != "" {
		args = append(args, "-tags", c.tags)
	}
	cmd := exec.Command("go", append(args, b.pkg)...)
	cmd.Dir = mod
	cgo := "CGO_ENABLED=0"
	if c.cgo {
		cgo = "CGO_ENABLED=1"
	}
	// GOFLAGS and GOWORK of the caller are for the caller's modules.
	cmd.Env = append(os.Environ(), cgo, "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s %s: %w\n%s", b.name, c.version, err, lastLines(string(output), 20))
	}
	if err := os.Rename(temporary, target); err != nil {
		return fmt.Errorf("keeping %s: %w", b.name, err)
	}
	fmt.Fprintf(out, "built %s in %s\n", b.name, time.Since(started).Round(time.Second))
	return nil
}

// buildAll builds what a cluster needs.
func buildAll(out io.Writer) (binaries, error) {
	found := binaries{}
	for _, c := range nodeComponents() {
		if err := c.build(out, 0, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func runBuild([]string) error {
	if err := needPackages(buildPackages()); err != nil {
		return err
	}
	found, err := buildAll(os.Stdout)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(found) {
		fmt.Println(found[name])
	}
	return nil
}

// runAssets prints nothing but the directory to stdout, for use in a command substitution.
func runAssets([]string) error {
	found := binaries{}
	if err := kubernetes.build(os.Stderr, assetBinaries, found); err != nil {
		return err
	}
	fmt.Println(filepath.Dir(found["kube-apiserver"]))
	return nil
}

func goOutput(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return "", fmt.Errorf("running go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// lastLines returns the last n lines of text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
