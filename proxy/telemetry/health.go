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

package telemetry

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/rauta-dev/rauta/proxy/socket"
)

// Health answers probes: /healthz as long as the process runs, /readyz while ready says so.
type Health struct {
	socket net.Listener
	server *http.Server
}

// maxProbes is how many clients may be connected at one time. What probes is one kubelet.
const maxProbes = 64

// ServeHealth begins to answer on an address.
func ServeHealth(address string, ready func() bool, logger *slog.Logger) (*Health, error) {
	door, err := socket.OpenDoorway(address, maxProbes)
	if err != nil {
		return nil, fmt.Errorf("health: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, true) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, ready()) })
	h := &Health{socket: door, server: &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}}
	go func() {
		if err := h.server.Serve(door); err != nil && !errors.Is(err, http.ErrServerClosed) {
			logger.Error("health server ended", "error", err)
		}
	}()
	return h, nil
}

func answer(w http.ResponseWriter, good bool) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !good {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("not ready\n")) // A probe that went away needs no answer.
		return
	}
	_, _ = w.Write([]byte("ok\n")) // A probe that went away needs no answer.
}

// Addr is where probes are answered.
func (h *Health) Addr() string { return h.socket.Addr().String() }

// Close ends it.
func (h *Health) Close() { _ = h.server.Close() }
