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
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// foundProcess is a process of the cluster, as seen from the machine.
type foundProcess struct {
	pid     int
	command string
	network string // the identity of its network namespace, "net:[4026532345]"
	init    bool   // PID 1 of the cluster's PID namespace
}

func (f foundProcess) String() string { return fmt.Sprintf("process %d: %s", f.pid, f.command) }

// ownProcesses finds the cluster's processes by what only they have: the cluster's marker in the environment, a cgroup
// of the cluster (pods), or the network namespace of one of those (what "exec" started, and its children). It needs no
// file with process ids, which a crash could leave wrong. The caller and its ancestors are never among them.
func ownProcesses(p place) ([]foundProcess, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	spared := ancestors(os.Getpid())
	machine := readLink("/proc/self/ns/net")
	var all, own []foundProcess
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || slices.Contains(spared, pid) {
			continue
		}
		one, marked := inspect(p, pid)
		all = append(all, one)
		if marked {
			own = append(own, one)
		}
	}
	var networks []string
	for _, one := range own {
		if one.network != "" && one.network != machine {
			networks = append(networks, one.network)
		}
	}
	for _, one := range all {
		if slices.Contains(networks, one.network) && !slices.Contains(own, one) {
			own = append(own, one)
		}
	}
	return own, nil
}

// inspect reads what /proc tells of a process. A process that ends meanwhile is not marked.
func inspect(p place, pid int) (foundProcess, bool) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	one := foundProcess{pid: pid, network: readLink(filepath.Join(dir, "ns", "net"))}
	line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	one.command = strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
	if len(one.command) > 120 {
		one.command = one.command[:120] + "..."
	}
	status, _ := os.ReadFile(filepath.Join(dir, "status"))
	if isZombie(string(status)) {
		return one, false // dead; only its parent can bury it
	}
	environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
	marked := slices.ContainsFunc(bytes.Split(environment, []byte{0}), func(variable []byte) bool {
		return string(variable) == p.marker()
	})
	one.init = marked && innermostPID(string(status)) == "1"
	cgroup, _ := os.ReadFile(filepath.Join(dir, "cgroup"))
	return one, marked || inCgroup(string(cgroup), p.name)
}

// innermostPID returns the process id in the innermost PID namespace: the last of proc(5)'s NSpid, if there are two or more.
func innermostPID(status string) string {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "NSpid:"); ok {
			ids := strings.Fields(rest)
			if len(ids) > 1 {
				return ids[len(ids)-1]
			}
		}
	}
	return ""
}

func isZombie(status string) bool {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "State:"); ok {
			return strings.HasPrefix(strings.TrimSpace(rest), "Z")
		}
	}
	return true // no status: it is gone
}

// inCgroup tells whether a /proc/<pid>/cgroup file names a cgroup at or below /name.
func inCgroup(file, name string) bool {
	for line := range strings.Lines(file) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && (fields[2] == "/"+name || strings.HasPrefix(fields[2], "/"+name+"/")) {
			return true
		}
	}
	return false
}

// ancestors returns pid and all processes above it.
func ancestors(pid int) []int {
	var out []int
	for pid > 0 {
		out = append(out, pid)
		status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		if err != nil {
			return out
		}
		pid = parentOf(string(status))
	}
	return out
}

func parentOf(status string) int {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "PPid:"); ok {
			parent, _ := strconv.Atoi(strings.TrimSpace(rest))
			return parent
		}
	}
	return 0
}

// findInit returns the first process of the running cluster, if there is one.
func findInit(p place) (foundProcess, bool, error) {
	own, err := ownProcesses(p)
	if err != nil {
		return foundProcess{}, false, err
	}
	at := slices.IndexFunc(own, func(one foundProcess) bool { return one.init })
	if at < 0 {
		return foundProcess{}, false, nil
	}
	return own[at], true, nil
}

// runningCluster returns the cluster and what it was built from, or an error that says how to start one.
func runningCluster() (place, plan, error) {
	p, err := herePlace()
	if err != nil {
		return p, plan{}, err
	}
	if err := needRoot(); err != nil {
		return p, plan{}, err
	}
	if _, ok, err := findInit(p); err != nil || !ok {
		if err == nil {
			err = fmt.Errorf("the local cluster does not run: start it with make cluster-up")
		}
		return p, plan{}, err
	}
	built, err := p.readPlan()
	return p, built, err
}

func readLink(name string) string {
	target, _ := os.Readlink(name)
	return target
}
