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
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// settle is how long connections are held before memory is read.
const settle = 2 * time.Second

// attempts at a turn in which a busy machine let no response through.
const attempts = 3

// target is where a generator sends a scenario's requests.
type target struct {
	// folder for the generator's files.
	folder string
	// cpus for the generator, as taskset -c takes them.
	cpus string
	port int
	// flooded is another port, to which a flood goes.
	flooded int
}

// sample is one subject's turn in one round.
type sample struct {
	result
	// cpu that the kernel charged to the subject meanwhile.
	cpu time.Duration
	// rss in bytes at the end, and how much of it one held connection takes.
	rss           int64
	perConnection float64
}

// measurement is all that was found out about one subject in one scenario.
type measurement struct {
	scenario scenario
	subject  string
	// unsupported is why the subject could not do it; there are no samples then.
	unsupported string
	samples     []sample
}

// bench is one run.
type bench struct {
	folder      string
	subjects    []subject
	runs        int
	duration    time.Duration
	warmup      time.Duration
	subjectCPU  string
	loadCPUs    string
	backends    *backends
	certificate certificateFiles
	progress    func(format string, args ...any)
}

// contender is a subject that runs.
type contender struct {
	subject subject
	process *process
	at      target
	row     int
}

// scenario measures all subjects in one scenario.
func (b *bench) scenario(ctx context.Context, s scenario) ([]measurement, error) {
	rows := make([]measurement, 0, len(b.subjects))
	var contenders []*contender
	defer func() {
		for _, c := range contenders {
			c.process.stop()
		}
	}()
	for i, candidate := range b.subjects {
		rows = append(rows, measurement{scenario: s, subject: candidate.name})
		c, err := b.start(ctx, s, candidate)
		switch {
		case err == nil:
			c.row = i
			contenders = append(contenders, c)
		case (candidate.probed && s.optional() || errors.Is(err, errUnable)) && ctx.Err() == nil:
			rows[i].unsupported = strings.ReplaceAll(err.Error(), b.folder+"/", "")
			b.progress("%s: %s: not supported: %s", s.name, candidate.name, rows[i].unsupported)
		default:
			return nil, fmt.Errorf("%s: %s: %w", s.name, candidate.name, err)
		}
	}
	for round := range b.runs {
		for i := range contenders {
			// Another one begins each round.
			c := contenders[(i+round)%len(contenders)]
			taken, err := b.turn(ctx, s, c, round)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: round %d: %w", s.name, c.subject.name, round+1, err)
			}
			b.progress("%s: round %d: %s: %.0f requests/s, %.2f us of CPU per request, %d errors",
				s.name, round+1, c.subject.name, taken.requestsPerSecond(), taken.cpuPerRequest(), taken.errors)
			rows[c.row].samples = append(rows[c.row].samples, taken)
		}
	}
	return rows, nil
}

// optional says that a proxy may not be able to do it yet: all but streams and HTTP/1.1 without TLS may be missing.
func (s scenario) optional() bool { return s.tls && !s.stream || s.grpc || s.load == loadH2 }

// start runs a subject and finds out whether it can do the scenario.
func (b *bench) start(ctx context.Context, s scenario, of subject) (*contender, error) {
	folder, err := folderFor(b.folder, filepath.Join(s.name, of.name))
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	args, err := of.configure(site{
		folder: folder, port: ports[0], health: ports[1], backend: b.backends.portFor(s),
		tls: s.tls, grpc: s.grpc, datagrams: s.load == loadDatagrams, stream: s.stream, secured: s.secured, routes: s.table(),
		flood: s.flood, flooded: ports[2], datagramsBehind: b.backends.datagrams,
		certificate: b.certificate.certificate, key: b.certificate.key, bundle: b.certificate.bundle,
	})
	if err != nil {
		return nil, err
	}
	p, err := start(of.name, b.subjectCPU, nil, of.program, args...)
	if err != nil {
		return nil, err
	}
	if err := await(ctx, s, ports[0], p); err != nil {
		p.stop()
		return nil, err
	}
	return &contender{subject: of, process: p, at: target{folder: folder, cpus: b.loadCPUs, port: ports[0], flooded: ports[2]}}, nil
}

// turn measures one subject once.
func (b *bench) turn(ctx context.Context, s scenario, c *contender, round int) (sample, error) {
	if s.load != loadHold {
		taken, err := b.drive(ctx, s, c)
		for attempt := 1; attempt < attempts && errors.Is(err, errNoResponse); attempt++ {
			b.progress("%s: %s: no response in %v; once more", s.name, c.subject.name, b.duration)
			taken, err = b.drive(ctx, s, c)
		}
		return taken, err
	}
	if round > 0 {
		// Memory that was used for connections before is not given back by all; each round has a new process.
		c.process.stop()
		again, err := b.start(ctx, s, c.subject)
		if err != nil {
			return sample{}, err
		}
		c.process, c.at = again.process, again.at
	}
	return b.hold(ctx, s, c)
}

// drive loads a subject for the duration.
func (b *bench) drive(ctx context.Context, s scenario, c *contender) (sample, error) {
	generate := map[load]func(context.Context, scenario, target, time.Duration) (result, error){
		loadWrk: runWrk, loadH2: runH2load, loadConnect: runConnect, loadDatagrams: runDatagrams,
	}[s.load]
	// A generator that does not end by itself is ended.
	ctx, cancel := context.WithTimeoutCause(ctx, b.warmup+b.duration+time.Minute, errors.New("the generator did not end in time"))
	defer cancel()
	flood, err := startFlood(ctx, s, c.at)
	if err != nil {
		return sample{}, err
	}
	if flood != nil {
		defer flood.stop()
	}
	if _, err := generate(ctx, s, c.at, b.warmup); err != nil && !errors.Is(err, errNoResponse) {
		return sample{}, fmt.Errorf("warm-up: %w", err)
	}
	before, err := c.usage()
	if err != nil {
		return sample{}, err
	}
	measured, err := generate(ctx, s, c.at, b.duration)
	if err != nil {
		return sample{}, err
	}
	after, err := c.usage()
	if err != nil {
		return sample{}, err
	}
	if flood != nil && flood.gone() != nil {
		return sample{}, flood.gone()
	}
	return sample{result: measured, cpu: after.cpu - before.cpu, rss: after.rss}, nil
}

// hold opens the scenario's connections, reads the memory while they are held, and uses each once more to see that it
// was. CPU and latency are those of opening and the first request.
func (b *bench) hold(ctx context.Context, s scenario, c *contender) (sample, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, errors.New("the connections were not opened in time"))
	defer cancel()
	// What a process allocates only once is not to be counted as its connections'.
	warm, _, err := startHold(ctx, s, c.at, min(200, s.connections))
	if err != nil {
		return sample{}, fmt.Errorf("warm-up: %w", err)
	}
	if _, err := warm.finish(ctx); err != nil {
		return sample{}, fmt.Errorf("warm-up: %w", err)
	}
	if err := pause(ctx, settle); err != nil {
		return sample{}, err
	}
	before, err := c.usage()
	if err != nil {
		return sample{}, err
	}
	held, opened, err := startHold(ctx, s, c.at, s.connections)
	if err != nil {
		return sample{}, err
	}
	defer held.process.stop()
	busy, err := c.usage()
	if err != nil {
		return sample{}, err
	}
	if err := pause(ctx, settle); err != nil {
		return sample{}, err
	}
	idle, err := c.usage()
	if err != nil {
		return sample{}, err
	}
	used, err := held.finish(ctx)
	if err != nil {
		return sample{}, err
	}
	opened.errors += used.errors
	return sample{
		result: opened, cpu: busy.cpu - before.cpu, rss: idle.rss,
		perConnection: float64(idle.rss-before.rss) / float64(s.connections),
	}, nil
}

// usage is the subject's, as long as it runs.
func (c *contender) usage() (usage, error) {
	if err := c.process.gone(); err != nil {
		return usage{}, err
	}
	return usageOf(c.process.pid())
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func (s sample) requestsPerSecond() float64 { return float64(s.requests) / s.elapsed.Seconds() }

// cpuPerRequest is in microseconds.
func (s sample) cpuPerRequest() float64 {
	return float64(s.cpu.Nanoseconds()) / 1e3 / float64(s.requests)
}
