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
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// measurement is what processes and counters said when a test began.
type measurement struct {
	w               *world
	at              time.Time
	operator, proxy usage
	writes          map[string]statusWrites
	bytes           float64
}

// written are the resources whose status writes are counted.
var written = []string{"gateways", "httproutes", "listenersets"}

func (w *world) begin(ctx context.Context) (*measurement, error) {
	if err := errors.Join(w.operator.forgetPeak(), w.proxy.forgetPeak()); err != nil {
		return nil, fmt.Errorf("forget peaks of memory: %w", err)
	}
	return w.now(ctx)
}

func (w *world) now(ctx context.Context) (*measurement, error) {
	m := &measurement{w: w, writes: map[string]statusWrites{}}
	var err error
	for _, resource := range written {
		if m.writes[resource], err = w.statusWrites(ctx, resource); err != nil {
			return nil, err
		}
	}
	if m.bytes, err = w.operatorMetric(ctx, "rauta_push_bytes_total"); err != nil {
		return nil, err
	}
	if m.operator, err = w.operator.usage(); err != nil {
		return nil, err
	}
	if m.proxy, err = w.proxy.usage(); err != nil {
		return nil, err
	}
	m.at = time.Now()
	return m, nil
}

// report adds what has happened since: CPU times, also as a part of one core where the duration is the test's own choice.
func (m *measurement) report(ctx context.Context, r *results, shares bool) error {
	now, err := m.w.now(ctx)
	if err != nil {
		return err
	}
	for _, resource := range written {
		count := now.writes[resource].written - m.writes[resource].written
		conflicts := now.writes[resource].conflicts - m.writes[resource].conflicts
		if resource == "listenersets" && count == 0 {
			continue
		}
		r.add("status_writes_"+resource, count, "writes")
		r.add("status_conflicts_"+resource, conflicts, "writes")
	}
	took := now.at.Sub(m.at)
	for _, p := range []struct {
		name          string
		before, after usage
	}{{"operator", m.operator, now.operator}, {"proxy", m.proxy, now.proxy}} {
		cpu := p.after.cpu - p.before.cpu
		r.seconds(p.name+"_cpu", cpu)
		if shares {
			r.add(p.name+"_cpu_share", 100*cpu.Seconds()/took.Seconds(), "% of a core")
		}
		r.mib(p.name+"_memory_peak", p.after.peak)
		r.mib(p.name+"_memory", p.after.resident)
	}
	r.add("pushed", (now.bytes-m.bytes)/1024, "KiB")
	return m.w.profile(ctx, r.test+"-heap", "heap")
}

// held is what the operator's heap holds after a collection, in bytes.
func (w *world) held(ctx context.Context) (int64, error) {
	if _, err := get(ctx, http.DefaultClient, "http://"+operatorProfiles+"/debug/pprof/heap?gc=1"); err != nil {
		return 0, err
	}
	bytes, err := w.operatorMetric(ctx, "go_memstats_heap_alloc_bytes")
	return int64(bytes), err
}

// profile keeps one of the operator's profiles, where that was asked for.
func (w *world) profile(ctx context.Context, name, what string) error {
	if w.options.profiles == "" {
		return nil
	}
	content, err := get(ctx, http.DefaultClient, "http://"+operatorProfiles+"/debug/pprof/"+what)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(w.options.profiles, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.options.profiles, name), content, 0o644) //nolint:gosec // for anybody to read
}
