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
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	// Processes that are started here end with the thread that started them (Pdeathsig): it must be one that stays.
	runtime.LockOSThread()
	err := run(os.Args[1:])
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintf(os.Stderr, "bench: %v\n", err)
	os.Exit(1)
}

// run is the benchmark, or one of the processes that it starts from its own program.
func run(args []string) error {
	if len(args) > 0 {
		switch args[0] { // These have nothing to clean up: a signal ends them at once.
		case "backend":
			return backendMain(args[1:])
		case "datagrams":
			return datagramsMain(args[1:], os.Stdout)
		case "flood":
			return floodMain(args[1:], os.Stdout)
		case "connect", "hold":
			return connectMain(args[0] == "hold", args[1:], os.Stdin, os.Stdout)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if o.alone {
		if err := loopbackUp(); err != nil {
			return err
		}
		return o.bench(ctx, os.Stdout)
	}
	if err := needTools(ctx, progress); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		progress("not root: no network namespace; the proxy listens on all addresses while it is measured")
		return o.bench(ctx, os.Stdout)
	}
	return inOwnNetwork(ctx, args)
}

// inOwnNetwork runs this program again in a network namespace that has a loopback interface and nothing else: nobody can
// reach what is measured, and no port is taken.
func inOwnNetwork(ctx context.Context, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-alone"}, args...)...) //nolint:gosec // this program
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("in a network namespace: %w", err)
	}
	return nil
}

type options struct {
	proxy     string
	scenarios []scenario
	subjects  []subject
	runs      int
	duration  time.Duration
	warmup    time.Duration
	timeout   time.Duration
	json      string
	alone     bool
}

func parseOptions(args []string) (options, error) {
	var o options
	var chosen, compared string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.proxy, "proxy", "bin/proxy", "the proxy's program")
	flags.StringVar(&chosen, "scenarios", "", "scenarios to run, separated by commas; all when empty: "+scenarioNames())
	flags.StringVar(&compared, "subjects", "", "subjects to measure, separated by commas: rauta, nginx, haproxy; all when empty")
	flags.IntVar(&o.runs, "runs", 3, "rounds, of which the medians are taken")
	flags.DurationVar(&o.duration, "duration", 5*time.Second, "of each subject's turn in a round, in whole seconds")
	flags.DurationVar(&o.warmup, "warmup", time.Second, "of load before each turn, in whole seconds")
	flags.DurationVar(&o.timeout, "timeout", time.Hour, "for everything")
	flags.StringVar(&o.json, "json", "dist/bench/proxy.json", "file for the figures")
	flags.BoolVar(&o.alone, "alone", false, "this is a network namespace of our own (set by the program itself)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.runs < 1 || o.duration < time.Second || o.warmup < time.Second {
		return o, errors.New("at least one round, and one second each for -duration and -warmup, are needed")
	}
	var err error
	if o.scenarios, err = selected(chosen); err != nil {
		return o, err
	}
	o.subjects, err = subjectsOf(compared, o.proxy)
	return o, err
}

// bench measures and reports. What was measured before an error is reported too.
func (o options) bench(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v", o.timeout))
	defer cancel()
	limit, err := raiseDescriptors()
	if err != nil {
		return err
	}
	cpus, err := allowedCPUs()
	if err != nil {
		return err
	}
	machine, err := describe(ctx, o.subjects, cpus)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "rauta-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // what is left is a temporary folder
	certificate, err := newCertificate(folder)
	if err != nil {
		return err
	}
	division := divide(cpus)
	behind, err := folderFor(folder, "backend")
	if err != nil {
		return err
	}
	backends, err := startBackends(ctx, behind, division.backend, certificate)
	if err != nil {
		return err
	}
	defer backends.stop()
	b := &bench{
		folder: folder, subjects: o.subjects, runs: o.runs, duration: o.duration, warmup: o.warmup,
		subjectCPU: division.subject, loadCPUs: division.load, backends: backends, certificate: certificate, progress: progress,
	}
	measured, failed := b.all(ctx, o.scenarios, limit)
	fmt.Fprintf(out, "%s.\nSubjects on CPU %s, generators on %s, backend on %s; medians of %d rounds of %v.\n\n",
		machine, division.subject, division.load, division.backend, o.runs, o.duration)
	writeMarkdown(out, measured)
	if failed != nil {
		return failed // The file keeps the figures of a run that was whole.
	}
	return writeJSON(o.json, summed(measured))
}

// all measures the scenarios one after the other, until one fails.
func (b *bench) all(ctx context.Context, of []scenario, descriptors uint64) ([]measurement, error) {
	var measured []measurement
	for _, s := range of {
		if err := enoughDescriptors(s, descriptors); err != nil {
			return measured, err
		}
		rows, err := b.scenario(ctx, s)
		if err != nil {
			return measured, err
		}
		measured = append(measured, rows...)
	}
	return measured, nil
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
