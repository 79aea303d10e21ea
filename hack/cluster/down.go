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
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

const downLimit = 30 * time.Second

// runDown ends the cluster and removes everything of it, whatever state it is in.
func runDown([]string) error {
	p, err := herePlace()
	if err != nil {
		return err
	}
	if err := needRoot(); err != nil {
		return err
	}
	release, err := p.acquire()
	if err != nil {
		return err
	}
	defer release()
	if first, ok, err := findInit(p); err == nil && ok && first.network == readLink("/proc/self/ns/net") {
		return errors.New("down: this shell runs inside the cluster (cluster exec); leave it first")
	}
	if err := p.clear(io.Discard); err != nil {
		return err
	}
	left, err := leftovers(p)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
	fmt.Println("the cluster is down, nothing of it is left")
	return nil
}

// clear kills the cluster's processes, and removes its cgroups and files. It says on out when there was something.
func (p place) clear(out io.Writer) error {
	left, err := leftovers(p)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return nil
	}
	fmt.Fprintln(out, "removing what is left of an earlier cluster...")
	deadline := time.Now().Add(downLimit)
	if err := killAll(p, deadline); err != nil {
		return err
	}
	if err := awaitUnmounted(p, deadline); err != nil {
		return err
	}
	if err := removeCgroups(p, deadline); err != nil {
		return err
	}
	if err := os.RemoveAll(p.state()); err != nil {
		return fmt.Errorf("removing the state directory: %w", err)
	}
	return nil
}

// killAll kills until there is nothing to kill: the death of the first process takes along all that share its PID
// namespace, so what needs more than one round is only what "exec" started.
func killAll(p place, deadline time.Time) error {
	for {
		own, err := ownProcesses(p)
		if err != nil || len(own) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d processes survive SIGKILL, the first is %s", len(own), own[0])
		}
		for _, one := range own {
			_ = syscall.Kill(one.pid, syscall.SIGKILL) // it may have ended by itself
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// awaitUnmounted waits until no mount namespace that we can see shows a mount of the cluster. The kernel takes them down
// with the last process; removing the files before would reach through them.
func awaitUnmounted(p place, deadline time.Time) error {
	for {
		mounts, err := ownMounts(p)
		if err != nil || len(mounts) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("still mounted: %s", strings.Join(mounts, ", "))
		}
		time.Sleep(20 * time.Millisecond)
	}
}
