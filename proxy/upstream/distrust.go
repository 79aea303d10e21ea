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

package upstream

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

const (
	// distrustEvery is how often a line is written about one backend.
	distrustEvery = 10 * time.Second
	// maxDistrusted is of how many backends it is remembered when there was one.
	maxDistrusted = 1024
	// maxDistrust is how long the reason may be: it quotes what the endpoint's certificate says.
	maxDistrust = 512
)

// Distrust logs why TLS with an endpoint did not come about, for who has to mend it: the client is told 502 and no more. It is asked when
// something went wrong, and costs nothing else anything. Nil logs nothing.
type Distrust struct {
	logger *slog.Logger
	now    func() time.Time

	mu   sync.Mutex
	told map[string]*telling // by backend
}

// telling is when a line was written about a backend, and how often there was none since.
type telling struct {
	at      time.Time
	skipped int
}

// NewDistrust makes one that logs to a logger.
func NewDistrust(logger *slog.Logger) *Distrust {
	return &Distrust{logger: logger, now: time.Now, told: make(map[string]*telling)}
}

// Note looks at what went wrong with an endpoint, and says so where it is TLS.
func (d *Distrust) Note(backend string, endpoint netip.AddrPort, err error) {
	reason, is := distrust(err)
	if d == nil || !is {
		return
	}
	skipped, due := d.due(backend)
	if !due {
		return
	}
	d.logger.Warn("no TLS with an endpoint", "backend", backend, "endpoint", endpoint.String(), "error", reason, "skipped", skipped)
}

// due says whether a line is written about a backend now, and how many were not since the last one.
func (d *Distrust) due(backend string) (skipped int, due bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	before := d.told[backend]
	if before != nil && now.Sub(before.at) < distrustEvery {
		before.skipped++
		return 0, false
	}
	if before != nil {
		skipped = before.skipped
	}
	if before == nil && len(d.told) >= maxDistrusted && !d.forget(now) {
		return 0, false
	}
	d.told[backend] = &telling{at: now}
	return skipped, true
}

// forget drops the backends about which nothing was written lately; false where there are none.
func (d *Distrust) forget(now time.Time) bool {
	for backend, told := range d.told {
		if now.Sub(told.at) >= distrustEvery {
			delete(d.told, backend)
		}
	}
	return len(d.told) < maxDistrusted
}

// distrust is what TLS, or who verifies for it, said of an endpoint. With TLS 1.3 that refuses the proxy only once the handshake is over.
func distrust(err error) (reason string, is bool) {
	var connect *message.ConnectError
	switch {
	case errors.Is(err, context.Canceled): // The client went.
		return "", false
	case errors.As(err, &connect) && connect.TLS:
		reason = connect.Err.Error()
	case message.IsAlert(err):
		reason = err.Error()
	default:
		return "", false
	}
	return strings.ToValidUTF8(reason[:min(len(reason), maxDistrust)], ""), true
}
