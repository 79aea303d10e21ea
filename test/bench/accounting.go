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
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is the unit of /proc/PID/stat, which is the same for all programs of Linux (USER_HZ).
const ticksPerSecond = 100

// usage is what the kernel has charged to a process and to those that it started.
type usage struct {
	cpu time.Duration
	// rss is resident memory in bytes; a page that two of the processes share counts twice.
	rss int64
}

// usageOf reads the accounting of the process and of all its descendants that run.
func usageOf(pid int) (usage, error) {
	tree, err := descendants("/proc", pid)
	if err != nil {
		return usage{}, err
	}
	var total usage
	for _, member := range tree {
		cpu, err := cpuTime(member)
		if err != nil {
			return usage{}, err
		}
		rss, err := residentBytes(member)
		if err != nil {
			return usage{}, err
		}
		total.cpu += cpu
		total.rss += rss
	}
	return total, nil
}

// cpuTime is the user and system time of a process with all its threads, those that have ended too. It asks for the
// CPU clock of the process, which counts nanoseconds, and reads /proc/PID/stat (10 ms) where there is none.
func cpuTime(pid int) (time.Duration, error) {
	var spec unix.Timespec
	if err := unix.ClockGettime(cpuClock(pid), &spec); err == nil {
		return time.Duration(spec.Nano()), nil
	}
	stat, err := statOf("/proc", pid)
	if err != nil {
		return 0, err
	}
	return stat.cpu, nil
}

// cpuClock is what clock_getcpuclockid(3) computes: the complement of the id, and CPUCLOCK_SCHED in the low bits.
func cpuClock(pid int) int32 {
	const sched = 2
	return int32(^pid)<<3 | sched //nolint:gosec // process ids are below 2^22
}

// processStat is what is read from /proc/PID/stat.
type processStat struct {
	parent int
	cpu    time.Duration
}

func statOf(proc string, pid int) (processStat, error) {
	file := filepath.Join(proc, strconv.Itoa(pid), "stat")
	data, err := os.ReadFile(file)
	if err != nil {
		return processStat{}, err
	}
	stat, err := parseStat(string(data))
	if err != nil {
		return processStat{}, fmt.Errorf("%s: %w", file, err)
	}
	return stat, nil
}

// parseStat reads the line of /proc/PID/stat: proc(5) has the parent as field 4, utime and stime as fields 14 and 15.
// The name in field 2 may hold blanks and parentheses of its own.
func parseStat(line string) (processStat, error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return processStat{}, errors.New("no name in parentheses")
	}
	fields := strings.Fields(line[end+1:]) // fields[0] is field 3.
	if len(fields) < 13 {
		return processStat{}, fmt.Errorf("%d fields after the name, want at least 13", len(fields))
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return processStat{}, fmt.Errorf("parent: %w", err)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return processStat{}, fmt.Errorf("time: %w", err)
		}
		ticks += n
	}
	return processStat{parent: parent, cpu: time.Duration(ticks) * time.Second / ticksPerSecond}, nil
}

// residentBytes reads VmRSS of /proc/PID/status.
func residentBytes(pid int) (int64, error) {
	file := fmt.Sprintf("/proc/%d/status", pid)
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	bytes, err := parseResident(string(data))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	return bytes, nil
}

func parseResident(status string) (int64, error) {
	for line := range strings.Lines(status) {
		rest, found := strings.CutPrefix(line, "VmRSS:")
		if !found {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("VmRSS: %w", err)
		}
		return kib << 10, nil
	}
	return 0, errors.New("no VmRSS: the process has ended")
}

// descendants gives a process and all that it started, directly or not.
func descendants(proc string, root int) ([]int, error) {
	if _, err := statOf(proc, root); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	children := make(map[int][]int)
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := statOf(proc, pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // It has ended since the folder was read.
		}
		if err != nil {
			return nil, err
		}
		children[stat.parent] = append(children[stat.parent], pid)
	}
	tree := []int{root}
	for next := 0; next < len(tree); next++ {
		tree = append(tree, children[tree[next]]...)
	}
	return tree, nil
}
