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

package leader

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ErrNotLeading is why something was refused: this operator does not lead, or cannot know that it still does.
var ErrNotLeading = errors.New("refused, as this operator may have been overtaken")

// What is asked for at a Fence, as the values of a metric's label.
const (
	kindWrite = "write"
	kindPush  = "push"
)

// Fence knows whether this operator still leads. A nil Fence lets everything pass: there is no election.
type Fence struct {
	terms    Terms
	now      func() time.Time
	refusals *prometheus.CounterVec

	mu sync.Mutex
	// renewed is when the request was sent that renewed the lease last; zero while another holds it.
	renewed time.Time
	// led is whether this operator leads as far as it knows, and lost is closed when it turns out that it does not.
	led  bool
	lost chan struct{}
	end  sync.Once
}

// NewFence is a Fence of an operator that does not lead yet. What it refuses is counted in the registerer.
func NewFence(terms Terms, registerer prometheus.Registerer, now func() time.Time) (*Fence, error) {
	f := &Fence{terms: terms, now: now, lost: make(chan struct{}), refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rauta_leader_refusals_total",
		Help: "Writes to the API server, and pushes to proxies, that were refused as this operator may have been overtaken.",
	}, []string{"kind"})}
	for _, kind := range []string{kindWrite, kindPush} {
		f.refusals.WithLabelValues(kind)
	}
	if err := registerer.Register(f.refusals); err != nil {
		return nil, fmt.Errorf("register rauta_leader_refusals_total: %w", err)
	}
	return f, nil
}

// Push is nil while this operator may push to proxies, else an ErrNotLeading.
func (f *Fence) Push() error {
	if f == nil {
		return nil
	}
	_, err := f.admit(kindPush)
	return err
}

// admit gives how long what is asked for may take, or an ErrNotLeading.
func (f *Fence) admit(kind string) (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.renewed.IsZero() {
		f.refusals.WithLabelValues(kind).Inc()
		return 0, fmt.Errorf("%w: it does not hold the lease", ErrNotLeading)
	}
	age := elapsed(f.renewed, f.now())
	if age >= f.terms.RenewDeadline {
		f.refusals.WithLabelValues(kind).Inc()
		return 0, fmt.Errorf("%w: its lease was last renewed %s ago", ErrNotLeading, age.Round(time.Millisecond))
	}
	return f.terms.LeaseDuration - age, nil
}

// held notes that the lease is this operator's by a request that was sent at a time.
func (f *Fence) held(sent time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.renewed, f.led = sent, true
}

// released notes that this operator gave the lease back.
func (f *Fence) released() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.renewed, f.led = time.Time{}, false
}

// elsewhere notes that the lease is not this operator's. If it was, this operator has to begin anew: what it knows, and has
// planned, may be older than what the others did.
func (f *Fence) elsewhere() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.renewed = time.Time{}
	if f.led {
		f.end.Do(func() { close(f.lost) })
	}
}

// elapsed is the longer of what the two clocks say: the monotonic one stands still while the machine is suspended, the other can be
// set back.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}
