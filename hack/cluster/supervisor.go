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
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// supervisor starts the cluster's processes, and starts them again when they end.
type supervisor struct {
	place  place
	bin    binaries
	images []string // archives

	mu     sync.Mutex
	deaths map[string]int // by process, since the start
}

const (
	restartDelay  = time.Second
	tolerableEnds = 3 // of one process while the cluster starts; more than that is a fault to report
)

// runSupervise brings the cluster up, stage by stage, and then stays. It runs inside the cluster's namespaces.
// What it prints is shown by "up".
func runSupervise([]string) error {
	p, err := herePlace()
	if err != nil {
		return err
	}
	built, err := p.readPlan()
	if err != nil {
		return err
	}
	s := &supervisor{place: p, bin: built.Binaries, images: built.Images, deaths: map[string]int{}}
	if err := s.start(context.Background()); err != nil {
		return err
	}
	select {} // the processes are looked after by their own goroutines
}

// start runs the stages of a cluster's start. The readiness file is the last thing that it makes.
func (s *supervisor) start(ctx context.Context) error {
	began := time.Now()
	if err := s.prepare(); err != nil {
		return err
	}
	s.run(etcdProcess(s.place, s.bin))
	s.run(containerdProcess(s.place, s.bin))
	if err := s.wait(ctx, "etcd", dialable("tcp", "127.0.0.1:2379")); err != nil {
		return err
	}
	s.run(apiServerProcess(s.place, s.bin))
	if err := s.wait(ctx, "containerd", dialable("unix", s.place.containerd())); err != nil {
		return err
	}
	imported := make(chan error, 1)
	go func() { imported <- s.importBaseImages(ctx) }()

	api, err := newAPIClient(s.place, "admin")
	if err != nil {
		return err
	}
	if err := s.wait(ctx, "kube-apiserver", api.ready); err != nil {
		return err
	}
	for _, one := range []process{
		kubeletProcess(s.place, s.bin), controllerManagerProcess(s.place, s.bin),
		schedulerProcess(s.place, s.bin), proxyProcess(s.place, s.bin), balancerProcess(s.place),
	} {
		s.run(one)
	}
	if err := <-imported; err != nil {
		return err
	}
	if err := s.wait(ctx, "kubelet", api.nodeReady); err != nil {
		return err
	}
	fmt.Printf("node %s Ready after %s\n", nodeName, time.Since(began).Round(100*time.Millisecond))
	return s.finish(ctx, api, began)
}

// prepare makes everything that the processes find at their start.
func (s *supervisor) prepare() error {
	if err := setUpNetwork(); err != nil {
		return err
	}
	if err := makeCgroups(s.place); err != nil {
		return err
	}
	if err := makeCertificates(s.place); err != nil {
		return err
	}
	if err := makeKubeconfigs(s.place); err != nil {
		return err
	}
	return writeNodeConfig(s.place, s.bin)
}

// finish installs the cluster's DNS and declares the cluster ready.
func (s *supervisor) finish(ctx context.Context, api *apiClient, began time.Time) error {
	if err := s.applyDNS(ctx); err != nil {
		return err
	}
	if err := s.wait(ctx, "kubelet", dnsAnswers); err != nil {
		return fmt.Errorf("waiting for the cluster's DNS: %w", err)
	}
	if err := s.wait(ctx, "kube-controller-manager", api.defaultAccountReady); err != nil {
		return err
	}
	took := time.Since(began).Round(100 * time.Millisecond)
	fmt.Printf("cluster ready after %s, DNS included\n", took)
	return writeFile(s.place.readyFile(), took.String()+"\n", 0o644)
}

// run starts a process and keeps it running.
func (s *supervisor) run(one process) {
	go func() {
		for {
			err := s.runOnce(one)
			s.mu.Lock()
			s.deaths[one.name]++
			s.mu.Unlock()
			fmt.Printf("%s ended (%v), starting it again\n", one.name, err)
			time.Sleep(restartDelay)
		}
	}()
}

func (s *supervisor) runOnce(one process) error {
	log, err := os.OpenFile(s.place.log(one.name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(one.path, one.args...)
	cmd.Env = s.environment()
	cmd.Dir = s.place.state()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Run()
}

// environment is small and fixed: nothing of the caller's shell, proxy settings least of all, shall shape a cluster.
func (s *supervisor) environment() []string {
	return []string{
		s.place.marker(), "RAUTA_CLUSTER_NAME=" + s.place.name,
		"PATH=" + searchPath(s.bin), "HOME=" + s.place.state(), "LANG=C.UTF-8",
	}
}

// command prepares a short command with the processes' environment and the admin's kubeconfig.
func (s *supervisor) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.bin[name], args...)
	cmd.Env = append(s.environment(), "KUBECONFIG="+s.place.kubeconfig("admin"))
	return cmd
}

const startLimit = 2 * time.Minute // for one stage; seconds on an idle machine

// wait polls until the condition holds. It gives up when a process keeps ending, and after startLimit: the error then
// shows the log of that process, or of the one that was to make the condition true.
func (s *supervisor) wait(ctx context.Context, name string, condition func(context.Context) error) error {
	deadline := time.Now().Add(startLimit)
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := condition(attempt)
		cancel()
		if err == nil {
			return nil
		}
		if broken, ok := s.broken(); ok {
			return s.failure(broken, fmt.Errorf("it keeps ending"))
		}
		if time.Now().After(deadline) {
			return s.failure(name, fmt.Errorf("not ready after %s: %w", startLimit, err))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// broken returns a process that ends again and again.
func (s *supervisor) broken() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range sortedKeys(s.deaths) {
		if s.deaths[name] > tolerableEnds {
			return name, true
		}
	}
	return "", false
}

func (s *supervisor) failure(name string, cause error) error {
	data, err := os.ReadFile(s.place.log(name))
	if errors.Is(err, os.ErrNotExist) {
		data = []byte("(it has no log)")
	}
	return fmt.Errorf("%s: %w\n--- end of %s\n%s", name, cause, s.place.log(name), strings.TrimSpace(lastLines(string(data), 20)))
}
