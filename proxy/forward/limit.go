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
	"sync"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// errTime says that the time of a request, or of sending it once, is over.
var errTime = errors.New("the time that the rule gives is over")

// limit ends a context when a time is over, with errTime for a cause, and breaks off the response that is being sent then: a
// client that does not read must not hold it. A nil limit is none.
type limit struct {
	cancel context.CancelCauseFunc
	timer  *time.Timer

	mu    sync.Mutex
	over  bool
	reply message.Reply // while a response is being sent
}

// within begins a limit. Its end has to be called.
func within(ctx context.Context, most time.Duration) (context.Context, *limit) {
	l := &limit{}
	ctx, l.cancel = context.WithCancelCause(ctx)
	l.timer = time.AfterFunc(most, l.expire)
	return ctx, l
}

func (l *limit) expire() {
	l.cancel(errTime)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.reply != nil {
		l.reply.Interrupt()
	}
}

// begin notes that a response is being sent; false when it is too late.
func (l *limit) begin(reply message.Reply) bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reply = reply
	return !l.over
}

// sent notes that nobody sends any more.
func (l *limit) sent() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reply = nil
}

// lift takes the limit away; false when it is too late.
func (l *limit) lift() bool { return l == nil || l.timer.Stop() }

func (l *limit) end() {
	l.timer.Stop()
	l.cancel(nil)
}

// timely says whether an error is that of a time that is over: what was interrupted has other words for it.
func timely(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errTime) {
		return errTime
	}
	return err
}
