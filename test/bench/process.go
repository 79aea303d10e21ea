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
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopGrace is how long a process has to end after SIGTERM.
const stopGrace = 5 * time.Second

// process is one that was started here, confined to CPUs, in a process group of its own.
type process struct {
	name  string
	cmd   *exec.Cmd
	said  *tail
	ended chan struct{}
	fault error
	once  sync.Once
}

// start runs a program on the given CPUs (as taskset -c takes them) until stop. Its output is kept for errors, unless
// out takes the standard output.
func start(name, cpus string, out io.Writer, program string, args ...string) (*process, error) {
	p := prepare(name, cpus, out, program, args...)
	return p, p.begin()
}

func prepare(name, cpus string, out io.Writer, program string, args ...string) *process {
	p := &process{name: name, said: &tail{limit: 4 << 10}, ended: make(chan struct{})}
	// taskset becomes the program, so the process that is started is the one that is measured.
	p.cmd = exec.Command("taskset", append([]string{"-c", cpus, program}, args...)...) //nolint:gosec // our own commands
	p.cmd.Stdout, p.cmd.Stderr = io.Writer(p.said), p.said
	if out != nil {
		p.cmd.Stdout = out
	}
	// Pdeathsig ends it when this process dies; main keeps to one thread for it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	p.cmd.WaitDelay = stopGrace
	return p
}

func (p *process) begin() error {
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		p.fault = p.cmd.Wait()
		close(p.ended)
	}()
	return nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// gone gives an error with the process's last words once it has ended.
func (p *process) gone() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended (%w): %s", p.name, p.exit(), p.said)
	default:
		return nil
	}
}

// exit is why it ended; ended must be closed.
func (p *process) exit() error {
	if p.fault == nil {
		return errors.New("exit status 0")
	}
	return p.fault
}

// wait gives how it ended: nil for exit code 0. It is stopped when ctx ends.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.stop()
		return fmt.Errorf("%s: %w", p.name, context.Cause(ctx))
	}
	if p.fault != nil {
		return fmt.Errorf("%s: %w: %s", p.name, p.fault, p.said)
	}
	return nil
}

// stop ends it and whatever is left of its group. It may be called again.
func (p *process) stop() { p.once.Do(p.end) }

func (p *process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopGrace):
	}
	// The group outlives its leader as long as it has members; the number cannot be another's until then.
	_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
	<-p.ended
}

// execute runs a program to its end and gives what it printed.
func execute(ctx context.Context, name, cpus, program string, args ...string) (string, error) {
	var out strings.Builder
	p, err := start(name, cpus, &out, program, args...)
	if err != nil {
		return "", err
	}
	if err := p.wait(ctx); err != nil {
		return "", err
	}
	return out.String(), nil
}

// tail keeps the end of what is written.
type tail struct {
	limit int
	mu    sync.Mutex
	kept  []byte
}

func (t *tail) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, data...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(data), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.kept) == 0 {
		return "it said nothing"
	}
	return strings.TrimSpace(string(t.kept))
}

// raiseDescriptors lets this process and those it starts open as many descriptors as it may.
func raiseDescriptors() (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, os.NewSyscallError("getrlimit", err)
	}
	wanted := syscall.Rlimit{Cur: max(limit.Max, 65_536), Max: max(limit.Max, 65_536)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &wanted); err == nil {
		return wanted.Cur, nil
	}
	// Raising the hard limit is for root alone. Setting the soft one here has the children inherit it.
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, os.NewSyscallError("setrlimit", err)
	}
	return limit.Cur, nil
}
