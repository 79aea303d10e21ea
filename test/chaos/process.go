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
	"slices"
	"strconv"
	"strings"
	"syscall"

	"k8s.io/apimachinery/pkg/types"
)

// marker is in the environment of the local cluster's own processes, with the cluster's name (docs/local-cluster.md).
const marker = "RAUTA_CLUSTER="

// component is the process of the cluster that runs the program, such as etcd.
func (w *world) component(program string) (int, error) {
	return one(program+" of cluster "+w.place, func(directory string) bool {
		path, err := os.Readlink(filepath.Join(directory, "exe"))
		if err != nil || filepath.Base(path) != program {
			return false
		}
		environment, err := os.ReadFile(filepath.Join(directory, "environ")) //nolint:gosec // of a process
		return err == nil && slices.Contains(strings.Split(string(environment), "\x00"), marker+w.place)
	})
}

// container is the process that runs the program in a pod.
func (w *world) container(pod types.UID, program string) (int, error) {
	return one(fmt.Sprintf("%s of pod %s", program, pod), func(directory string) bool {
		name, err := os.ReadFile(filepath.Join(directory, "comm")) //nolint:gosec // of a process
		if err != nil || strings.TrimSpace(string(name)) != program {
			return false
		}
		groups, err := os.ReadFile(filepath.Join(directory, "cgroup")) //nolint:gosec // of a process
		return err == nil && strings.Contains(string(groups), "/"+w.place+"/kubepods") && strings.Contains(string(groups), "/pod"+string(pod)+"/")
	})
}

// one is the only process of the machine that fits.
func one(what string, fits func(directory string) bool) (int, error) {
	directories, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	var found []int
	for _, directory := range directories {
		if !fits(directory) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(directory))
		if err != nil {
			return 0, err
		}
		found = append(found, pid)
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("there are %d processes %s: %v", len(found), what, found)
	}
	return found[0], nil
}

// send sends one to a process that was found.
func send(pid int, s syscall.Signal) error {
	if err := syscall.Kill(pid, s); err != nil {
		return fmt.Errorf("send %s to process %d: %w", s, pid, err)
	}
	return nil
}
