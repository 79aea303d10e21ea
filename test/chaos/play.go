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
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// play does the faults under load: all of them in an order of the seed's, and again until the time is over.
func (w *world) play(ctx context.Context, list []fault, length time.Duration) (*report, error) {
	if err := w.settle(ctx); err != nil {
		return nil, err
	}
	var subjects []*subject
	for _, g := range w.gateways {
		subjects = append(subjects, g.subject)
	}
	var err error
	if w.load, err = startLoad(ctx, w.ledger, subjects); err != nil {
		return nil, err
	}
	defer w.load.end()
	r, begin := &report{}, time.Now()
	for round := 0; round == 0 || time.Since(begin) < length; round++ {
		for _, f := range w.order(list) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if round > 0 && time.Since(begin) >= length {
				break
			}
			one := w.inflict(ctx, f)
			r.Results = append(r.Results, one)
			if one.Error != "" {
				// What follows would be judged by what this one left behind.
				return w.finish(r, begin), nil
			}
		}
	}
	r = w.finish(r, begin)
	return r, w.load.conntrack.failed()
}

// order is the next of the seed's. What needs the time that all else takes is looked at last.
func (w *world) order(list []fault) []fault {
	order := slices.Clone(list)
	w.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	slices.SortStableFunc(order, func(a, b fault) int { return cmp.Compare(rank(a), rank(b)) })
	return order
}

func rank(f fault) int {
	if f.class == identities {
		return 1
	}
	return 0
}

// settle waits until everything is as it should be, and notes what there is.
func (w *world) settle(ctx context.Context) error {
	if _, err := w.converged(ctx); err != nil {
		return err
	}
	var err error
	w.baseline, err = w.inventory(ctx)
	return err
}

// inflict does one fault, and waits until everything is as it should be again.
func (w *world) inflict(ctx context.Context, f fault) *result {
	fmt.Fprintf(w.out, "%s %-36s ", time.Now().Format(time.TimeOnly), f.name)
	seen := len(w.ledger.explain(0))
	i := w.ledger.open(f.name, f.grace)
	w.ledger.takeSlowest()
	r := &result{Fault: f.name, Class: f.class, Expects: f.expects, Begin: i.begin}
	err := f.do(ctx, w, i)
	w.ledger.close(i)
	r.Seconds = i.end.Sub(i.begin).Seconds()
	if err == nil {
		r.Hashes, err = w.converged(ctx)
	}
	r.Converged, r.Slowest = time.Since(i.end).Seconds(), w.ledger.takeSlowest().Seconds()
	if err != nil {
		r.Error = err.Error()
	}
	for _, failed := range w.ledger.explain(seen) {
		if failed.Explanation != "" {
			r.Explained++
			continue
		}
		r.Unexplained++
	}
	fmt.Fprintf(w.out, "%5.1f s, converged in %4.1f s, %d explained, %d unexplained\n", r.Seconds, r.Converged, r.Explained, r.Unexplained)
	if r.Error != "" {
		fmt.Fprintf(w.out, "  FAILED: %s\n", r.Error)
	}
	for _, failed := range w.ledger.explain(seen) {
		if failed.Explanation == "" {
			failed.show(w.out)
		}
	}
	return r
}

// finish ends the load, and sums up.
func (w *world) finish(r *report, begin time.Time) *report {
	w.load.end()
	r.Seconds = time.Since(begin).Seconds()
	r.Succeeded, r.Failures = w.ledger.counts(), w.ledger.explain(0)
	r.attribute()
	for _, one := range r.Results {
		if one.passed() {
			r.Passed++
			continue
		}
		r.Failed++
	}
	return r
}
