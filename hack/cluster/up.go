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
	"time"

	"golang.org/x/sys/unix"
)

// upLimit bounds the whole start; each stage of the supervisor has a limit of its own and tells more.
const upLimit = 5 * time.Minute

// runUp makes a running, ready cluster out of whatever is there: nothing, a running one, or the remains of a crash.
func runUp([]string) error {
	p, err := herePlace()
	if err != nil {
		return err
	}
	if err := needRoot(); err != nil {
		return err
	}
	if err := needPackages(append(buildPackages(), runPackages()...)); err != nil {
		return err
	}
	built, err := makePlan()
	if err != nil {
		return err
	}
	release, err := p.acquire()
	if err != nil {
		return err
	}
	defer release()

	if _, ok, err := findInit(p); err != nil {
		return err
	} else if ok {
		done, err := p.adopt()
		if done || err != nil {
			return err
		}
	}
	if err := p.clear(os.Stdout); err != nil {
		return err
	}
	return p.boot(built)
}

// acquire takes the lock under which clusters start and end; it is the kernel's, and ends with this process.
func (p place) acquire() (release func(), err error) {
	file, err := os.OpenFile(p.lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		fmt.Println("waiting for another up or down to end...")
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
			return nil, fmt.Errorf("taking the lock %s: %w", p.lock(), err)
		}
	}
	return func() { _ = file.Close() }, nil
}

// adopt deals with a cluster that has a first process already. It says whether that one will do: it is ready, or becomes
// ready (the up that started it was interrupted).
func (p place) adopt() (bool, error) {
	if _, err := os.Stat(p.readyFile()); errors.Is(err, os.ErrNotExist) {
		fmt.Println("the cluster is starting already, waiting for it...")
		return true, p.follow(nil)
	}
	if err := p.probe(); err != nil {
		fmt.Printf("the cluster runs but does not answer (%v): starting a new one\n", err)
		return false, nil
	}
	fmt.Println("the cluster is running already")
	return true, nil
}

// probe asks the API server whether it is ready, for some seconds.
func (p place) probe() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	for {
		cmd := exec.CommandContext(ctx, self, "kubectl", "--request-timeout=3s", "get", "--raw", "/readyz")
		output, err := cmd.CombinedOutput()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %s", err, strings.TrimSpace(lastLines(string(output), 1)))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// boot starts a cluster where nothing is, and shows what the supervisor says until it is ready.
func (p place) boot(built plan) error {
	if err := os.MkdirAll(p.path("log"), 0o755); err != nil {
		return fmt.Errorf("making the state directory: %w", err)
	}
	if err := p.writePlan(built); err != nil {
		return err
	}
	fmt.Printf("starting Kubernetes %s (about 10 s)...\n", kubernetesVersion)
	first, err := startInit(p)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _ = first.Wait(); close(ended) }()
	return p.follow(ended)
}

// follow copies the supervisor's messages until the cluster is ready or its first process has ended.
// ended is nil for a process that is not this one's child.
func (p place) follow(ended <-chan struct{}) error {
	log, err := os.Open(p.log("supervisor"))
	if err != nil {
		return fmt.Errorf("reading the supervisor's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	deadline := time.Now().Add(upLimit)
	for {
		gone := p.hasEnded(ended)
		if _, err := io.Copy(os.Stdout, log); err != nil {
			return fmt.Errorf("reading the supervisor's log: %w", err)
		}
		if _, err := os.Stat(p.readyFile()); err == nil {
			return nil
		}
		if gone {
			return fmt.Errorf("the cluster did not start; its logs are in %s", p.path("log"))
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the cluster is not ready after %s; its logs are in %s", upLimit, p.path("log"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (p place) hasEnded(ended <-chan struct{}) bool {
	if ended == nil {
		_, ok, err := findInit(p)
		return err == nil && !ok
	}
	select {
	case <-ended:
		return true
	default:
		return false
	}
}
