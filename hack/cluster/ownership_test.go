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
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestInnermostPID(t *testing.T) {
	cases := map[string]struct{ reason, status, want string }{
		"Init":    {"PID 1 of a namespace is the process whose end ends the cluster.", "Name:\tcluster\nNSpid:\t4711\t1\n", "1"},
		"Inside":  {"Its children have other numbers.", "NSpid:\t4712\t7\n", "7"},
		"Outside": {"The machine's own PID 1 must never be taken for the cluster's.", "NSpid:\t1\n", ""},
		"Gone":    {"A process that has ended has no status.", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := innermostPID(tc.status); got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestInCgroup(t *testing.T) {
	cases := map[string]struct {
		reason, file string
		want         bool
	}{
		"Version1":    {"With v1 one of many lines says it.", "8:pids:/rauta-cluster/kubepods/pod1\n0::/\n", true},
		"Version2":    {"With v2 there is one line.", "0::/rauta-cluster/kubepods\n", true},
		"OtherName":   {"A cluster whose name begins alike is another one.", "0::/rauta-cluster-2/kubepods\n", false},
		"NotAtRoot":   {"A cgroup of that name in someone's container is not ours.", "0::/docker/1/rauta-cluster\n", false},
		"ColonInside": {"A path may hold colons.", "0::/rauta-cluster/a:b\n", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := inCgroup(tc.file, "rauta-cluster"); got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

func TestAncestorsAreSpared(t *testing.T) {
	// The environment of "make cluster-down" may hold the marker; it must not kill its own shell.
	t.Setenv(markerVariable, "some-cluster")
	own, err := ownProcesses(place{name: "some-cluster"})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range own {
		if one.pid == os.Getpid() || one.pid == os.Getppid() {
			t.Errorf("%s is among the processes to kill", one)
		}
	}
	if above := ancestors(os.Getpid()); !slices.Contains(above, os.Getppid()) {
		t.Errorf("ancestors are %v, without the parent %d", above, os.Getppid())
	}
}

func TestMountsBelow(t *testing.T) {
	mountinfo := "30 1 8:1 / / rw - ext4 /dev/vda rw\n" +
		"31 30 0:31 / /var/lib/rauta-cluster/kubelet/pods/1/volumes/memory rw - tmpfs tmpfs rw\n" +
		"32 30 8:1 /var/lib/rauta-cluster/var /var rw - ext4 /dev/vda rw\n" +
		"33 30 0:33 / /var/lib/rauta-cluster-2 rw - tmpfs tmpfs rw\n"
	want := []string{"/var/lib/rauta-cluster/kubelet/pods/1/volumes/memory", "/var"}
	if got := mountsBelow(mountinfo, "/var/lib/rauta-cluster"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: what lies below the directory, and what shows a part of it elsewhere", got, want)
	}
}

func TestHierarchies(t *testing.T) {
	cases := map[string]struct {
		reason, mountinfo string
		want              []hierarchy
	}{
		"Version2": {
			reason:    "One tree for all controllers.",
			mountinfo: "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
			want:      []hierarchy{{mount: "/sys/fs/cgroup", unified: true}},
		},
		"Version1": {
			reason: "One tree per controller, and systemd's v2 tree without controllers beside them.",
			mountinfo: "36 24 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
				"37 24 0:32 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n" +
				"38 24 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			want: []hierarchy{{mount: "/sys/fs/cgroup/cpu,cpuacct"}, {mount: "/sys/fs/cgroup/cpuset", cpuset: true},
				{mount: "/sys/fs/cgroup/unified", unified: true}},
		},
		"BindMount": {
			reason:    "A part of a tree that is mounted somewhere is not a place for new cgroups.",
			mountinfo: "39 24 0:30 /docker/1 /mnt rw - cgroup2 cgroup2 rw\n",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := hierarchies(tc.mountinfo)
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s\ngot %+v, want %+v", tc.reason, got, tc.want)
			}
		})
	}
}

func TestLookIn(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(second, "tool"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(first, "tool"), []byte("not a program"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := lookIn(first+":"+second, "tool")
	if want := filepath.Join(second, "tool"); err != nil || got != want {
		t.Errorf("got %q, %v; want %q: a file that cannot be run is passed over", got, err, want)
	}
	if _, err := lookIn(first, "tool"); err == nil {
		t.Error("found a program where there is none")
	}
}
