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
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long a process has to end after SIGTERM.
const stopGrace = 10 * time.Second

// process is one that was started here. What it says goes to a file.
type process struct {
	name  string
	cmd   *exec.Cmd
	said  *os.File
	ended chan struct{}
	fault error
}

func startProcess(folder, name string, environment []string, program string, args ...string) (*process, error) {
	said, err := os.Create(filepath.Join(folder, name+".log"))
	if err != nil {
		return nil, err
	}
	p := &process{name: name, said: said, ended: make(chan struct{})}
	p.cmd = exec.Command(program, args...)
	p.cmd.Stdout, p.cmd.Stderr = said, said
	p.cmd.Env = append(os.Environ(), environment...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), said.Close())
	}
	go func() {
		p.fault = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// gone gives an error with the process's last words once it has ended.
func (p *process) gone() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended (%w): %s", p.name, errors.Join(p.fault), p.last())
	default:
		return nil
	}
}

func (p *process) last() string {
	text, err := os.ReadFile(p.said.Name())
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-2000):]))
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopGrace):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	_ = p.said.Close()
}

// usage is what the kernel has charged to a process.
type usage struct {
	cpu time.Duration
	// peak and resident memory in bytes.
	peak, resident int64
}

// clockTick is the unit of CPU times in /proc/PID/stat: USER_HZ, which is 100 on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

func (p *process) usage() (usage, error) {
	folder := "/proc/" + strconv.Itoa(p.cmd.Process.Pid)
	stat, err := os.ReadFile(folder + "/stat")
	if err != nil {
		return usage{}, err
	}
	// The name, in brackets, may hold anything; utime and stime are the 12th and 13th field after it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return usage{}, fmt.Errorf("%s/stat has %d fields", folder, len(fields))
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	if err := errors.Join(errUser, errSystem); err != nil {
		return usage{}, fmt.Errorf("%s/stat: %w", folder, err)
	}
	u := usage{cpu: time.Duration(user+system) * clockTick}
	status, err := os.ReadFile(folder + "/status")
	if err != nil {
		return usage{}, err
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			u.peak = kib << 10
		}
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			u.resident = kib << 10
		}
	}
	return u, nil
}

// forgetPeak has the kernel count the process's peak of memory from now on.
func (p *process) forgetPeak() error {
	return os.WriteFile("/proc/"+strconv.Itoa(p.cmd.Process.Pid)+"/clear_refs", []byte("5"), 0)
}
