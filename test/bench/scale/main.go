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
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// address is that of everything that a cluster would have pods for. The API refuses endpoints on 127.0.0.0/8, so that the
// loopback interface of our own network namespace gets another one.
const address = "10.99.0.1"

func main() {
	// Processes that are started here end with the thread that started them (Pdeathsig): it must be one that stays.
	runtime.LockOSThread()
	ctrl.SetLogger(logr.Discard()) // The library that starts the API server wants one.
	err := run(os.Args[1:])
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintf(os.Stderr, "bench-scale: %v\n", err)
	os.Exit(1)
}

type options struct {
	operator string
	proxy    string
	crds     string
	tests    []test
	json     string
	timeout  time.Duration
	profiles string
	sizes    sizes
	alone    bool
}

// sizes are how much of what the tests make.
type sizes struct {
	propagation int
	churnRoutes int
	services    int
	churn       time.Duration
	interval    time.Duration
	sets        int
	setRoutes   int
}

func parseOptions(args []string) (options, error) {
	var o options
	var chosen string
	flags := flag.NewFlagSet("bench-scale", flag.ContinueOnError)
	flags.StringVar(&o.operator, "operator", "bin/operator", "the operator's program")
	flags.StringVar(&o.proxy, "proxy", "bin/proxy", "the proxy's program")
	flags.StringVar(&o.crds, "crds", "", "directories with the CRDs, separated by commas")
	flags.StringVar(&chosen, "tests", "", "tests to run, separated by commas; all when empty: "+testNames())
	flags.StringVar(&o.json, "json", "dist/bench/scale.json", "file for the figures")
	flags.DurationVar(&o.timeout, "timeout", time.Hour, "for everything")
	flags.StringVar(&o.profiles, "profiles", "", "directory for the operator's profiles; none when empty")
	flags.IntVar(&o.sizes.propagation, "propagation", 3000, "routes that are created one after another")
	flags.IntVar(&o.sizes.churnRoutes, "churn-routes", 5000, "routes that are there while some change")
	flags.IntVar(&o.sizes.services, "services", 500, "Services behind them")
	flags.DurationVar(&o.sizes.churn, "churn", time.Minute, "how long routes and endpoints change")
	flags.DurationVar(&o.sizes.interval, "interval", 100*time.Millisecond, "between two changes")
	flags.IntVar(&o.sizes.sets, "sets", 1000, "ListenerSets")
	flags.IntVar(&o.sizes.setRoutes, "set-routes", 16000, "routes on them")
	flags.BoolVar(&o.alone, "alone", false, "these are namespaces of our own (set by the program itself)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var err error
	o.tests, err = selected(chosen)
	return o, err
}

// run measures in namespaces of its own: nobody reaches what is measured, no port is taken, and whatever was started ends
// with the first process of the namespace.
func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if o.alone {
		if err := settle(ctx); err != nil {
			return err
		}
		return o.measure(ctx)
	}
	if os.Geteuid() != 0 {
		return errors.New("needs root: for network and process namespaces of its own, in which everything runs")
	}
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return errors.New("KUBEBUILDER_ASSETS is not set: run this through `make bench-scale`")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-alone"}, args...)...) //nolint:gosec // this program
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("in namespaces of its own: %w", err)
	}
	return nil
}

// settle makes the new namespaces usable: /proc shows their processes, and the loopback interface is up and has the address.
func settle(ctx context.Context) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount /", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return os.NewSyscallError("mount /proc", err)
	}
	for _, line := range []string{"link set lo up", "addr add " + address + "/32 dev lo"} {
		out, err := exec.CommandContext(ctx, "ip", strings.Fields(line)...).CombinedOutput() //nolint:gosec // our own commands
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	return nil
}

// measure runs the tests, each in a world of its own, and reports. What was measured before an error is printed too.
func (o options) measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v", o.timeout))
	defer cancel()
	report := &report{}
	for _, t := range o.tests {
		progress("%s", t.name)
		if err := o.one(ctx, t, report); err != nil {
			report.print(os.Stdout)
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	report.print(os.Stdout)
	return report.write(o.json)
}

func (o options) one(ctx context.Context, t test, report *report) (err error) {
	w, err := newWorld(ctx, o, t.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close(err)) }()
	return t.run(ctx, w, report.of(t.name))
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
