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
	"strings"
)

// runVerify lists what is left of a cluster on the machine.
func runVerify([]string) error {
	p, err := herePlace()
	if err != nil {
		return err
	}
	if err := needRoot(); err != nil {
		return err
	}
	left, err := leftovers(p)
	if err != nil {
		return err
	}
	for _, line := range left {
		fmt.Println(line)
	}
	if len(left) > 0 {
		return exitCode(1)
	}
	fmt.Println("nothing of the cluster is left")
	return nil
}

// leftovers lists, one line each, the processes, mounts, cgroups, links, network namespaces and files of the cluster.
func leftovers(p place) ([]string, error) {
	var left []string
	own, err := ownProcesses(p)
	if err != nil {
		return nil, err
	}
	for _, one := range own {
		left = append(left, one.String())
	}
	mounts, err := ownMounts(p)
	if err != nil {
		return nil, err
	}
	for _, mount := range mounts {
		left = append(left, "mount "+mount)
	}
	cgroups, err := ownCgroups(p)
	if err != nil {
		return nil, err
	}
	for _, dir := range cgroups {
		left = append(left, "cgroup "+dir)
	}
	left = append(left, strays()...)
	if _, err := os.Lstat(p.state()); err == nil {
		left = append(left, "files "+p.state())
	}
	return left, nil
}

// strays names a link or a named network namespace on the machine's side that only a cluster makes. None is ever made
// there: this is the check that says so.
func strays() []string {
	var left []string
	for _, pattern := range []struct{ kind, glob string }{
		{"link", "/sys/class/net/node0"},
		{"network namespace", "/run/netns/cni-*"},
	} {
		matches, _ := filepath.Glob(pattern.glob) // the pattern is well formed
		for _, match := range matches {
			left = append(left, pattern.kind+" "+match)
		}
	}
	return left
}

// ownMounts lists the mounts below the state directory in the mount namespace of every process on the machine.
func ownMounts(p place) ([]string, error) {
	files, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	seen := map[string]bool{}
	spaces := map[string]bool{}
	for _, file := range files {
		space := readLink(filepath.Join(filepath.Dir(file), "ns", "mnt"))
		if space == "" || spaces[space] {
			continue
		}
		spaces[space] = true
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		for _, point := range mountsBelow(string(data), p.state()) {
			seen[point] = true
		}
	}
	return sortedKeys(seen), nil
}

// mountsBelow returns the mount points in a mountinfo file that are at or below dir, or show something of it.
func mountsBelow(mountinfo, dir string) []string {
	var out []string
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		for _, path := range []string{fields[4], fields[3]} {
			if path == dir || strings.HasPrefix(path, dir+"/") {
				out = append(out, fields[4])
				break
			}
		}
	}
	return out
}
