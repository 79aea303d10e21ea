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
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// anyCPU is the list of those that this process may use.
func anyCPU(t *testing.T) string {
	t.Helper()
	cpus, err := allowedCPUs()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(cpus[0])
}

func TestStopLeavesNothing(t *testing.T) {
	tests := map[string]struct {
		reason string
		script string
	}{
		"a child":    {"a worker that outlives its master would take the next subject's CPU", `sleep 600 & echo $!; wait`},
		"a deaf one": {"SIGTERM may be ignored, and the benchmark must end", `trap '' TERM; sleep 600 & echo $!; wait; wait`},
		"an orphan":  {"the group is stopped even when its leader ended first", `sleep 600 >/dev/null 2>&1 & echo $!`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := &tail{limit: 100}
			p, err := start("sh", anyCPU(t), said, "sh", "-c", test.script)
			if err != nil {
				t.Fatal(err)
			}
			var child int
			for ends := time.Now().Add(30 * time.Second); child == 0 && time.Now().Before(ends); time.Sleep(time.Millisecond) {
				child, _ = strconv.Atoi(said.String()) // Not yet there is not a number.
			}
			if child == 0 {
				t.Fatalf("the script said %q", said)
			}
			p.stop()
			for _, pid := range []int{p.pid(), child} {
				if !endsSoon(pid) {
					t.Errorf("%s: process %d runs still", test.reason, pid)
				}
			}
		})
	}
}

// endsSoon waits until a process is gone, or a zombie that its parent has yet to collect.
func endsSoon(pid int) bool {
	for ends := time.Now().Add(30 * time.Second); time.Now().Before(ends); time.Sleep(time.Millisecond) {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		if err != nil || strings.Contains(string(status), "State:\tZ") {
			return true
		}
	}
	return false
}

func TestExecute(t *testing.T) {
	out, err := execute(context.Background(), "taskset", anyCPU(t), "sh", "-c", "grep Cpus_allowed_list /proc/self/status")
	if err != nil || strings.TrimSpace(strings.TrimPrefix(out, "Cpus_allowed_list:")) != anyCPU(t) {
		t.Errorf("the program ran on %q, %v; want CPU %s alone", out, err, anyCPU(t))
	}
	if _, err = execute(context.Background(), "sh", anyCPU(t), "sh", "-c", "echo the reason >&2; exit 3"); err == nil || !strings.Contains(err.Error(), "exit status 3: the reason") {
		t.Errorf("error %v, want the exit code with the last words", err)
	}
	cause := errors.New("it took too long")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err = execute(ctx, "sleep", anyCPU(t), "sleep", "600"); !errors.Is(err, cause) {
		t.Errorf("error %v, want %v", err, cause)
	}
}

func TestGoneSaysWhy(t *testing.T) {
	p, err := start("sh", anyCPU(t), nil, "sh", "-c", "echo no such field; exit 2")
	if err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if err := p.gone(); err == nil || !strings.Contains(err.Error(), "exit status 2") || !strings.Contains(err.Error(), "no such field") {
		t.Errorf("error %v, want the exit code and the last words", err)
	}
	p, err = start("sleep", anyCPU(t), nil, "sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.gone(); err != nil {
		t.Errorf("a process that runs: %v", err)
	}
	p.stop()
	if !errors.Is(syscall.Kill(p.pid(), 0), syscall.ESRCH) {
		t.Error("a process that was stopped is there still")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	said := &tail{limit: 8}
	for _, part := range []string{"one ", "two ", "three four"} {
		if n, err := said.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if said.String() != "ree four" {
		t.Errorf("kept %q, want the last 8 bytes", said)
	}
}
