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
	"os/signal"
	"syscall"
)

// The cluster is one process tree below this file's process, which is PID 1 of a PID namespace and the first process of
// a mount and of a network namespace. All that a cluster is made of hangs on it: when it ends, however it ends, the
// kernel kills every process in the PID namespace, and with the last of them go the mounts and the network, links, pods'
// namespaces and addresses included. So no crash can leave any of these behind, and "down" is one kill.
// What outlives it are cgroups and files; "down" removes those by name.

// startInit starts PID 1 of the cluster in new namespaces, detached from the caller's session, and returns at once.
func startInit(p place) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	log, err := os.OpenFile(p.log("supervisor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the supervisor's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(self, "init")
	cmd.Env = append(os.Environ(), p.marker())
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:     true,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the cluster's first process in new namespaces: %w", err)
	}
	return cmd, nil
}

// runInit is PID 1: it prepares the mounts, starts the supervisor, and buries whatever is orphaned until the supervisor ends.
func runInit([]string) error {
	p, err := herePlace()
	if err != nil {
		return err
	}
	if os.Getpid() != 1 {
		return fmt.Errorf("init is internal: use up")
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT)
	if err := prepareMounts(p); err != nil {
		return err
	}
	supervisor, err := syscall.ForkExec("/proc/self/exe", []string{"cluster", "supervise"}, &syscall.ProcAttr{
		Dir: "/", Env: os.Environ(), Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		return fmt.Errorf("starting the supervisor: %w", err)
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("waiting for the supervisor: %w", err)
		case pid == supervisor:
			return exitCode(max(1, status.ExitStatus()))
		}
	}
}
