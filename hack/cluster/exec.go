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
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// runExec runs a command in the cluster's network namespace, and in no other namespace of it: the command sees the
// machine's files. It replaces this process, so that signals and the exit code are the command's own.
func runExec(args []string) error {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return fmt.Errorf("exec: name the command to run")
	}
	p, built, err := runningCluster()
	if err != nil {
		return err
	}
	return execInside(p, built, args)
}

func runKubectl(args []string) error {
	p, built, err := runningCluster()
	if err != nil {
		return err
	}
	return execInside(p, built, append([]string{built.Binaries["kubectl"]}, args...))
}

func execInside(p place, built plan, args []string) error {
	first, ok, err := findInit(p)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("the local cluster does not run: start it with make cluster-up")
	}
	// kubectl, in the version of the cluster, is at hand for scripts as well.
	search := filepath.Dir(built.Binaries["kubectl"]) + ":" + os.Getenv("PATH")
	environment := overlay(os.Environ(), map[string]string{
		"KUBECONFIG": p.kubeconfig("admin"), "PATH": search, markerVariable: p.name,
	})
	program, err := lookIn(search, args[0])
	if err != nil {
		return err
	}
	// A network namespace belongs to a thread, and exec keeps that of the thread that calls it.
	runtime.LockOSThread()
	if err := enterNetwork(first.pid); err != nil {
		return err
	}
	if err := syscall.Exec(program, args, environment); err != nil {
		return fmt.Errorf("running %s: %w", program, err)
	}
	return nil
}

// enterNetwork moves the calling thread to the network namespace of a process.
func enterNetwork(pid int) error {
	file, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "ns", "net"))
	if err != nil {
		return fmt.Errorf("opening the cluster's network namespace: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering the cluster's network namespace: %w", err)
	}
	return nil
}

// lookIn finds a program as a shell with that PATH would.
func lookIn(search, name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range filepath.SplitList(search) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil && dir != "" {
			return path, nil
		}
	}
	return "", fmt.Errorf("finding the command %s: %w", name, exec.ErrNotFound)
}

// overlay sets variables in an environment.
func overlay(environment []string, set map[string]string) []string {
	var out []string
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if _, ok := set[name]; !ok {
			out = append(out, variable)
		}
	}
	for _, name := range sortedKeys(set) {
		out = append(out, name+"="+set[name])
	}
	return out
}

func runKubeconfig([]string) error {
	p, err := herePlace()
	if err != nil {
		return err
	}
	fmt.Println(p.kubeconfig("admin"))
	return nil
}
