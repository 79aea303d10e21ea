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
	"slices"
	"strings"
	"time"
)

// hierarchy is a mounted cgroup tree: there is one with cgroup v2, and one for each controller with v1.
type hierarchy struct {
	mount   string
	unified bool // cgroup v2
	cpuset  bool // v1 with the cpuset controller
}

// hierarchies reads the mounted cgroup trees, whose root is the real one, from a mountinfo file (proc_pid_mountinfo(5)).
func hierarchies(mountinfo string) []hierarchy {
	var out []hierarchy
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 3 || left[3] != "/" {
			continue
		}
		switch right[0] {
		case "cgroup2":
			out = append(out, hierarchy{mount: left[4], unified: true})
		case "cgroup":
			out = append(out, hierarchy{mount: left[4], cpuset: slices.Contains(strings.Split(right[2], ","), "cpuset")})
		}
	}
	return out
}

func mountedHierarchies() ([]hierarchy, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("reading the mounts: %w", err)
	}
	return hierarchies(string(data)), nil
}

// makeCgroups makes the cgroup that kubelet puts all pods below (its --cgroup-root), in every hierarchy.
func makeCgroups(p place) error {
	trees, err := mountedHierarchies()
	if err != nil {
		return err
	}
	if len(trees) == 0 {
		return errors.New("no cgroup hierarchy is mounted below /sys/fs/cgroup: kubelet cannot run")
	}
	for _, tree := range trees {
		dir := filepath.Join(tree.mount, p.name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making the cgroup %s: %w", dir, err)
		}
		switch {
		case tree.unified:
			err = enableControllers(tree.mount, dir)
		case tree.cpuset:
			err = inheritCpuset(tree.mount, dir)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enableControllers hands every controller of the root down to dir's children: with cgroup v2 a cgroup can limit
// only what its parent's cgroup.subtree_control names.
func enableControllers(root, dir string) error {
	data, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("reading the cgroup controllers: %w", err)
	}
	for _, controller := range strings.Fields(string(data)) {
		for _, parent := range []string{root, dir} {
			file := filepath.Join(parent, "cgroup.subtree_control")
			if err := os.WriteFile(file, []byte("+"+controller), 0o644); err != nil {
				return fmt.Errorf("enabling the cgroup controller %s in %s: %w", controller, file, err)
			}
		}
	}
	return nil
}

// inheritCpuset copies the root's processors and memory nodes: a v1 cpuset starts empty, and takes no process then.
func inheritCpuset(root, dir string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // mounted with noprefix
		}
		if err != nil {
			return fmt.Errorf("reading the root's %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("setting %s of %s: %w", name, dir, err)
		}
	}
	return nil
}

// ownCgroups lists the cluster's cgroup directories in all hierarchies, children before parents.
func ownCgroups(p place) ([]string, error) {
	trees, err := mountedHierarchies()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, tree := range trees {
		_ = filepath.WalkDir(filepath.Join(tree.mount, p.name), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				dirs = append(dirs, path)
			}
			return nil // what vanishes while we walk needs no removal
		})
	}
	slices.Reverse(dirs)
	return dirs, nil
}

// removeCgroups removes the cluster's cgroups, once their processes are gone. A cgroup stays busy for a moment after
// the death of its last process.
func removeCgroups(p place, deadline time.Time) error {
	for {
		dirs, err := ownCgroups(p)
		if err != nil || len(dirs) == 0 {
			return err
		}
		var last error
		for _, dir := range dirs {
			if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				last = err
			}
		}
		if last != nil && time.Now().After(deadline) {
			return fmt.Errorf("removing cgroups: %w", last)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
