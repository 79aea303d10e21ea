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

package forward

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// Retry of a rule.
type Retry struct {
	// Codes of responses for which a request is sent again.
	Codes []int
	// Attempts after the first.
	Attempts int
	// Backoff is the least time before the first.
	Backoff time.Duration
}

// RetryCounts say how often requests were sent again, and how often the budget did not let them.
type RetryCounts struct{ Sent, Denied uint64 }

type retries struct{ sent, denied atomic.Uint64 }

// Retries gives how often requests were sent again.
func (h *Handler) Retries() RetryCounts {
	return RetryCounts{Sent: h.retries.sent.Load(), Denied: h.retries.denied.Load()}
}

// errAgain says that there was a response, and that the request is sent again in its place.
var errAgain = errors.New("the response has a code to retry")

// again is whether a request may be sent again.
type again struct {
	rule    *Retry
	budget  *upstream.Budget
	counts  *retries
	content *kept // nil without content
	done    int
}

// persist forwards the request, and again as its rule says.
func (e *exchange) persist(ctx context.Context, rule *Rule, backend *upstream.Backend) Outcome {
	a := &again{rule: rule.Retry, budget: backend.Retries, counts: &e.handler.retries}
	a.budget.Earn()
	if source := e.request.Body; source != nil {
		a.content = &kept{source: source, left: e.request.Length}
		e.request.Body = a.content
		defer func() { e.request.Body = source }()
	}
	e.again = a
	defer func() { e.again = nil }()
	for {
		outcome, err := e.forward(ctx, rule, backend)
		if err == nil {
			return outcome
		}
		if !errors.Is(err, errAgain) && (ctx.Err() != nil || !a.after(err, e.request)) {
			return e.failed(ctx, err)
		}
		if err := pause(ctx, a.backoff()); err != nil {
			return e.failed(ctx, timely(ctx, err))
		}
		if a.content != nil {
			a.content.rewind()
		}
		a.counts.sent.Add(1)
	}
}

// instead says whether the request is sent again in the place of a response, of which nothing is needed then.
func (a *again) instead(response *message.Response, request *message.Request) bool {
	if !slices.Contains(a.rule.Codes, response.Status) || !a.harmless(request) || !a.take() {
		return false
	}
	// What is at hand is read, so that the connection can be kept.
	if body, ok := response.Body.(interface{ Buffered() int }); ok && response.Length >= 0 && int64(body.Buffered()) >= response.Length {
		_, _ = io.CopyN(io.Discard, response.Body, response.Length)
	}
	return true
}

// after says whether the request is sent again after an error. HTTPRouteRetry: "Implementations SHOULD retry on connection
// errors (disconnect, reset, timeout, TCP failure) if a retry stanza is configured."
func (a *again) after(err error, request *message.Request) bool {
	var content *message.ContentError
	if errors.Is(err, errNoEndpoint) || errors.As(err, &content) {
		return false
	}
	var connect *message.ConnectError
	if errors.As(err, &connect) {
		// Nothing was sent, whatever the method.
		return !connect.Full && (a.content == nil || a.content.repeatable()) && a.take()
	}
	return a.harmless(request) && a.take()
}

// harmless: RFC 9110 section 9.2.2: "A proxy MUST NOT automatically retry non-idempotent requests." And content that was read
// is gone, unless it was kept.
func (a *again) harmless(request *message.Request) bool {
	switch request.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return request.Upgrade == "" && (a.content == nil || a.content.repeatable())
	}
	return false
}

// take takes one of the retries that are left.
func (a *again) take() bool {
	if a.done >= a.rule.Attempts {
		return false
	}
	if !a.budget.Spend() {
		a.counts.denied.Add(1)
		return false
	}
	a.done++
	return true
}

// maxBackoff is what a backoff grows to, unless the rule has a longer one.
const maxBackoff = 5 * time.Second

// backoff is the time before the next retry: twice that before the last, and up to half of it more, so that those who were
// refused together do not come back together. HTTPRouteRetry.backoff: "as long as unsuccessful backend requests are not
// retried before the configured minimum duration".
func (a *again) backoff() time.Duration {
	wait := a.rule.Backoff
	for i := 1; i < a.done && wait < maxBackoff; i++ {
		wait = min(2*wait, maxBackoff)
	}
	return wait + rand.N(wait/2+1)
}

// pause waits; an error says that there is no reason to go on.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
