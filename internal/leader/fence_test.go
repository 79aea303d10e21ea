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
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var terms = Terms{LeaseDuration: 10 * time.Second, RenewDeadline: 7 * time.Second, RetryPeriod: time.Second}

// clock is one that tests set. It has no monotonic part, but where a test gives it one.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.at }

func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

func newFence(t *testing.T, c *clock) *Fence {
	t.Helper()
	fence, err := NewFence(terms, prometheus.NewRegistry(), c.now)
	if err != nil {
		t.Fatal(err)
	}
	return fence
}

func TestWhoMayWrite(t *testing.T) {
	cases := map[string]struct {
		reason string
		life   func(*Fence, *clock)
		left   time.Duration // 0 for refused
		why    string
	}{
		"StandsBy": {
			reason: "an operator that was never elected has nothing to say", life: func(*Fence, *clock) {}, why: "does not hold the lease",
		},
		"Leads": {
			reason: "a request may take until the others may take the lease",
			life:   func(f *Fence, c *clock) { f.held(c.at) }, left: 10 * time.Second,
		},
		"RenewedLongAgo": {
			reason: "until the renew deadline the leader leads, and the request has what is left",
			life:   func(f *Fence, c *clock) { f.held(c.at); c.pass(6 * time.Second) }, left: 4 * time.Second,
		},
		"AtTheDeadline": {
			reason: "from then on the elector gives up as well",
			life:   func(f *Fence, c *clock) { f.held(c.at); c.pass(7 * time.Second) }, why: "last renewed 7s ago",
		},
		"Stopped": {
			reason: "a process that was stopped must be refused at its very first write, whatever its timers do",
			life:   func(f *Fence, c *clock) { f.held(c.at); c.pass(time.Hour) }, why: "last renewed 1h0m0s ago",
		},
		"RenewedAgain": {
			reason: "nobody else took the lease meanwhile",
			life:   func(f *Fence, c *clock) { f.held(c.at); c.pass(time.Hour); f.held(c.at) }, left: 10 * time.Second,
		},
		"SlowRenewal": {
			reason: "the others count from when the lease was written, which is no earlier than when the request was sent",
			life:   func(f *Fence, c *clock) { sent := c.at; c.pass(3 * time.Second); f.held(sent) }, left: 7 * time.Second,
		},
		"Overtaken": {
			reason: "the lease was seen in other hands",
			life:   func(f *Fence, c *clock) { f.held(c.at); f.elsewhere() }, why: "does not hold the lease",
		},
		"Released": {
			reason: "another may lead at once, while this one still ends",
			life:   func(f *Fence, c *clock) { f.held(c.at); f.released() }, why: "does not hold the lease",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			fence := newFence(t, c)
			tc.life(fence, c)
			left, err := fence.admit(kindWrite)
			refused := testutil.ToFloat64(fence.refusals.WithLabelValues(kindWrite))
			switch {
			case tc.why == "" && (err != nil || left != tc.left || refused != 0):
				t.Errorf("%s: got %s, %v, %v refusals; want %s", tc.reason, left, err, refused, tc.left)
			case tc.why != "" && (!errors.Is(err, ErrNotLeading) || !strings.Contains(err.Error(), tc.why) || refused != 1):
				t.Errorf("%s: got %v, %v refusals; want one refusal that says %q", tc.reason, err, refused, tc.why)
			}
			if pushed := fence.Push(); (pushed == nil) != (tc.why == "") {
				t.Errorf("%s: a push is answered %v, a write %v", tc.reason, pushed, err)
			}
		})
	}
}

func TestWithoutElectionAllMayWrite(t *testing.T) {
	if err := (*Fence)(nil).Push(); err != nil {
		t.Errorf("a single operator must act: %v", err)
	}
}

func TestTerms(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*Terms)
		want   string // empty: valid
	}{
		"Defaults":      {reason: "they must be good", change: func(*Terms) {}},
		"RenewTooLong":  {reason: "a leader that gives up after the others took over is a second one", change: func(t *Terms) { t.RenewDeadline = t.LeaseDuration }, want: "--leader-elect-lease-duration (10s) must be longer than --leader-elect-renew-deadline (10s)"},
		"RetryTooLong":  {reason: "there must be time for another attempt", change: func(t *Terms) { t.RetryPeriod = 6 * time.Second }, want: "--leader-elect-renew-deadline (7s) must be longer than 1.2 times --leader-elect-retry-period (6s)"},
		"NoRetry":       {reason: "a pause of nothing is a storm", change: func(t *Terms) { t.RetryPeriod = 0 }, want: "--leader-elect-retry-period is 0s"},
		"Fraction":      {reason: "the Lease would say a shorter duration than the fence holds to", change: func(t *Terms) { t.LeaseDuration = 10500 * time.Millisecond }, want: "--leader-elect-lease-duration is 10.5s"},
		"NegativeLease": {reason: "each flag that is wrong is named", change: func(t *Terms) { t.LeaseDuration = -time.Second }, want: "--leader-elect-lease-duration is -1s"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			terms := DefaultTerms()
			tc.change(&terms)
			err := terms.Validate()
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %q", tc.reason, err, tc.want)
			}
		})
	}
}
