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

package admin

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

// Whoever can reach the port must not be able to fill a disk.
func TestRefusalsAreLoggedAtABoundedRate(t *testing.T) {
	var log bytes.Buffer
	r := &refusals{logger: slog.New(slog.NewTextHandler(&log, nil)), what: "admin connection", every: time.Hour}
	client := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 1234}
	for range 1000 {
		r.refused(client, errors.New("no certificate"))
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "10.0.0.9") {
		t.Errorf("%d lines for 1000 refusals within the hour, want 1 that names the client:\n%s", lines, log.String())
	}
	r.last = r.last.Add(-2 * time.Hour)
	r.refused(client, errors.New("no certificate"))
	if !strings.Contains(log.String(), "skipped=999") {
		t.Errorf("the next line must say how many were left out:\n%s", log.String())
	}
}
