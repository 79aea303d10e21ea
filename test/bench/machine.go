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
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// allowedCPUs are the CPUs that this process may use, in order.
func allowedCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	var cpus []int
	for cpu := 0; len(cpus) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// division of the CPUs, as taskset -c takes them.
type division struct {
	subject, load, backend string
}

// divide gives the subjects a core of their own, the first one. With three or more the backend has another one. The
// generators have the rest; with one core all share it.
func divide(cpus []int) division {
	list := func(some []int) string {
		texts := make([]string, 0, len(some))
		for _, cpu := range some {
			texts = append(texts, strconv.Itoa(cpu))
		}
		return strings.Join(texts, ",")
	}
	switch n := len(cpus); n {
	case 1:
		return division{list(cpus), list(cpus), list(cpus)}
	case 2:
		return division{list(cpus[:1]), list(cpus[1:]), list(cpus[1:])}
	default:
		return division{list(cpus[:1]), list(cpus[2:]), list(cpus[1:2])}
	}
}

// loopbackUp brings up the loopback interface of a network namespace that is new.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return os.NewSyscallError("SIOCGIFFLAGS", err)
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	return os.NewSyscallError("SIOCSIFFLAGS", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request))
}

// describe says on what was measured: processor, kernel, and versions.
func describe(ctx context.Context, subjects []subject, cpus []int) (string, error) {
	var uname unix.Utsname
	if err := unix.Uname(&uname); err != nil {
		return "", os.NewSyscallError("uname", err)
	}
	text := fmt.Sprintf("%s, %d CPUs, Linux %s", processor(), len(cpus), unix.ByteSliceToString(uname.Release[:]))
	for _, s := range subjects {
		out, err := exec.CommandContext(ctx, s.program, s.version...).CombinedOutput() //nolint:gosec // our own commands
		if err != nil {
			return "", fmt.Errorf("%s %s: %w: %s", s.program, strings.Join(s.version, " "), err, out)
		}
		first, _, _ := strings.Cut(string(out), "\n")
		text += fmt.Sprintf("; %s: %s", s.name, strings.TrimPrefix(first, "nginx version: "))
	}
	return text, nil
}

// processor is the model that the kernel names.
func processor() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// errFewDescriptors says that idle connections cannot be held.
var errFewDescriptors = errors.New("too few descriptors")

// enoughDescriptors checks that a process may hold the scenario's connections. The proxy leaves a part of its files to others than
// clients, and an eighth of the rest to each of two ports; a connection that it relays takes two.
func enoughDescriptors(s scenario, limit uint64) error {
	files := uint64(s.connections) //nolint:gosec // not negative
	if s.flood != "" {
		files += 2 * floodHeld * 8 / 7
	}
	needed := 1_100 + files*8/5
	if (s.load == loadHold || s.flood != "") && limit < needed {
		return fmt.Errorf("%s: %w: a process may open %d, and needs %d (ulimit -n)", s.name, errFewDescriptors, limit, needed)
	}
	return nil
}
