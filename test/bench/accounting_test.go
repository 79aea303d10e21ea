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
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	const rest = " 4194560 100 0 0 0 120 34 5 6 20 0 1 0 1000 5000 600 1"
	tests := map[string]struct {
		reason string
		line   string
		want   processStat
		err    string
	}{
		"plain": {
			reason: "fields are counted from the name on, times are in hundredths of a second, and children's (5 and 6) are not ours",
			line:   "77 (nginx) S 42 77 77 0 -1" + rest,
			want:   processStat{parent: 42, cpu: 1540 * time.Millisecond},
		},
		"a name with blanks and a parenthesis": {
			reason: "a process may call itself anything, and nginx does call its workers 'nginx: worker process'",
			line:   "77 (a) S 1 (b) c) R 42 77 77 0 -1" + rest,
			want:   processStat{parent: 42, cpu: 1540 * time.Millisecond},
		},
		"cut short": {reason: "a line that ends early has no times", line: "77 (nginx) S 42 77", err: "fields after the name"},
		"no name":   {reason: "something else than /proc/PID/stat", line: "77 nginx S 42", err: "no name"},
		"no number": {reason: "something else than /proc/PID/stat", line: "77 (x) S 42 1 1 0 -1 0 0 0 0 0 one 2 0 0", err: "time"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseStat(test.line)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%s: error %v, want one with %q", test.reason, err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(processStat{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestParseResident(t *testing.T) {
	tests := map[string]struct {
		reason string
		status string
		want   int64
		fails  bool
	}{
		"running": {reason: "the peak (VmHWM) is not what is resident now", status: "Name:\tx\nVmHWM:\t  9999 kB\nVmRSS:\t    1234 kB\n", want: 1234 << 10},
		"ended":   {reason: "a zombie has no memory, and 0 would be a figure", status: "Name:\tx\nState:\tZ (zombie)\n", fails: true},
		"strange": {reason: "another unit must not be read as KiB", status: "VmRSS:\t 3 MB\n", fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseResident(test.status)
			if (err != nil) != test.fails || got != test.want {
				t.Errorf("%s: got %d, %v", test.reason, got, err)
			}
		})
	}
}

func TestDescendants(t *testing.T) {
	proc := t.TempDir()
	for pid, parent := range map[string]string{"10": "1", "11": "10", "12": "11", "13": "1", "14": "10"} {
		folder := filepath.Join(proc, pid)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		line := pid + " (x) S " + parent + " 0 0 0 0 0 0 0 0 0 1 1 0 0"
		if err := os.WriteFile(filepath.Join(folder, "stat"), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(proc, "20"), 0o700); err != nil { // It ends as we look.
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(proc, "sys"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := descendants(proc, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{10, 11, 14, 12}, got); diff != "" {
		t.Errorf("children's children belong to it, its siblings do not (-want +got):\n%s", diff)
	}
	if _, err := descendants(proc, 99); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a process that is not there: error %v", err)
	}
}

// TestUsageIsTheKernels has a shell compute, with a child that computes too, and stop itself. What is read then must be what the
// kernel says once it has ended (getrusage).
func TestUsageIsTheKernels(t *testing.T) {
	const work = `i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done`
	cmd := exec.Command("sh", "-c", work+`; sh -c '`+work+`; kill -STOP $$' & kill -STOP $$; wait`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	t.Cleanup(func() { _ = syscall.Kill(-pid, syscall.SIGKILL) })
	members := awaitStopped(t, pid, 2)
	got, err := usageOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	var ticks time.Duration
	for _, member := range members {
		stat, err := statOf("/proc", member)
		if err != nil {
			t.Fatal(err)
		}
		ticks += stat.cpu
	}
	if err := syscall.Kill(-pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	want := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	// Ending takes some time too, and ticks are of 10 ms, in two fields of two processes.
	const tolerance = 40 * time.Millisecond
	if got.cpu <= 0 || (got.cpu-want).Abs() > tolerance || (got.cpu-ticks).Abs() > tolerance {
		t.Errorf("CPU time %v; getrusage has %v, /proc/PID/stat %v", got.cpu, want, ticks)
	}
	if got.rss < 2*100<<10 || got.rss > 1<<30 {
		t.Errorf("resident memory of two shells: %d bytes", got.rss)
	}
	if _, err := usageOf(pid); err == nil {
		t.Error("a process that has ended has no usage, and 0 would be a figure")
	}
}

// awaitStopped waits until a process and its descendants are count, all of them stopped.
func awaitStopped(t *testing.T, pid, count int) []int {
	t.Helper()
	for ends := time.Now().Add(30 * time.Second); time.Now().Before(ends); time.Sleep(10 * time.Millisecond) {
		members, err := descendants("/proc", pid)
		if err != nil {
			t.Fatal(err)
		}
		stopped := 0
		for _, member := range members {
			status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(member), "status"))
			if err == nil && strings.Contains(string(status), "State:\tT") {
				stopped++
			}
		}
		if len(members) == count && stopped == count {
			return members
		}
	}
	t.Fatalf("process %d and its descendants did not stop", pid)
	return nil
}
