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
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/forward"
)

func TestLoggerLevels(t *testing.T) {
	tests := map[string]struct {
		reason string
		level  string
		want   int
	}{
		"debug": {"everything is written", "debug", 4},
		"info":  {"the usual level leaves debug out", "info", 3},
		"warn":  {"warnings and errors", "warn", 2},
		"error": {"errors alone", "error", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			logger, err := NewLogger(&out, test.level)
			if err != nil {
				t.Fatal(err)
			}
			logger.Debug("m", "k", 1)
			logger.Info("m", "k", 1)
			logger.Warn("m", "k", 1)
			logger.Error("m", "k", 1)
			lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
			for _, line := range lines {
				if !json.Valid(line) {
					t.Errorf("not JSON: %s", line)
				}
			}
			if len(lines) != test.want {
				t.Errorf("%s: %d lines, want %d", test.reason, len(lines), test.want)
			}
		})
	}
	if _, err := NewLogger(&bytes.Buffer{}, "loud"); err == nil {
		t.Error("a level that is not known is an error")
	}
}

func TestRequestsAreCountedFromManyGoroutines(t *testing.T) {
	var requests Requests
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 100 {
				requests.Record(forward.Outcome{Status: 200, Reason: forward.ReasonOK})
			}
			requests.Record(forward.Outcome{Status: 404, Reason: forward.ReasonNoRoute})
		})
	}
	workers.Wait()
	want := map[forward.Outcome]uint64{
		{Status: 200, Reason: forward.ReasonOK}: 800, {Status: 404, Reason: forward.ReasonNoRoute}: 8,
	}
	if diff := cmp.Diff(want, requests.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// Whoever reaches the port takes no more than a few files of the process, and probes are answered all the same.
func TestStrangersDoNotKeepProbesOut(t *testing.T) {
	health, err := ServeHealth("127.0.0.1:0", func() bool { return true }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer health.Close()
	strangers := make([]net.Conn, 4*maxProbes)
	for i := range strangers {
		if strangers[i], err = net.Dial("tcp", health.Addr()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = strangers[i].Close() }()
	}
	for i, conn := range strangers[:len(strangers)-maxProbes] {
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("stranger %d of %d keeps its connection: %v", i, len(strangers), err)
		}
	}
	response, err := http.Get("http://" + health.Addr() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("a probe is answered %d", response.StatusCode)
	}
}
