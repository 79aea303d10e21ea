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

package proxy

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
)

func TestAffordable(t *testing.T) {
	for name, test := range map[string]struct {
		openable                uint64
		connections, sessions   int
		wanted, wantedOfSession int
		files                   int
		reason                  string
	}{
		"ample":    {1 << 20, 50_000, 10_000, 50_000, 10_000, 687_456, "what is configured holds"},
		"no limit": {1<<64 - 1, 50_000, 10_000, 50_000, 10_000, 1_409_285_472, "likewise"},
		"fewer":    {20_000, 50_000, 10_000, 12_453, 4_744, 12_453, "1,024 are the proxy's own, a quarter of the others is for sessions"},
		"no UDP":   {20_000, 50_000, 100, 12_453, 100, 12_453, "a table may want more sessions later"},
		"few":      {256, 50_000, 10_000, 126, 48, 126, "of few a quarter is the proxy's own"},
		"none":     {0, 50_000, 10_000, 2, 1, 2, "0 would mean something else"},
		"less":     {20_000, 10, 10, 10, 10, 12_453, "nothing is ever raised"},
	} {
		got, files := affordable(bootstrap.Limits{MaxConnections: test.connections, MaxDatagramSessions: test.sessions}, test.openable)
		if got.MaxConnections != test.wanted || got.MaxDatagramSessions != test.wantedOfSession || files != test.files {
			t.Errorf("%s: got %d connections, %d sessions and %d files, want %d, %d and %d: %s", name,
				got.MaxConnections, got.MaxDatagramSessions, files, test.wanted, test.wantedOfSession, test.files, test.reason)
		}
	}
}

const (
	childEndpoints = "RAUTA_TEST_ENDPOINTS"
	fewDescriptors = 256
)

// places are where the listeners of a child are, by their port.
type places struct {
	TCP, HTTP, UDP string
}

// TestFewDescriptorsChild is the proxy of TestFewDescriptors, in a process that may open few files.
func TestFewDescriptorsChild(t *testing.T) {
	given := os.Getenv(childEndpoints)
	if given == "" {
		return // It is run by the other test alone.
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: fewDescriptors, Max: fewDescriptors}); err != nil {
		t.Fatal(err)
	}
	endpoints := strings.Fields(given)
	b := toUDP(endpoints[2]).streamListener("listener/tcp", adminv1.Protocol_PROTOCOL_TCP, 5432).
		streamBackend("b", endpoints[0]).streamRoute("r", nil, "listener/tcp", "b").
		listener("listener/http", 80, "").backend("h", endpoints[1]).route("t", "listener/http", "/", "h")
	p := start(t, b.resources)
	datagrams, _ := p.DatagramAddr(53)
	told, err := json.Marshal(places{TCP: address(t, p, 5432), HTTP: address(t, p, 80), UDP: datagrams})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s\n", told)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// startChild runs a proxy that may open few files until the test is over.
func startChild(t *testing.T, endpoints ...string) places {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFewDescriptorsChild$") //nolint:gosec // this program
	child.Env = append(os.Environ(), childEndpoints+"="+strings.Join(endpoints, " "))
	child.Stderr = os.Stderr
	input, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = input.Close(); _ = child.Wait() })
	var at places
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &at) != nil {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return at
}

// Where few files may be opened, neither idle connections nor sources of datagrams use them up: other listeners are served.
func TestFewDescriptors(t *testing.T) {
	relayed := make(chan struct{}, 1<<16)
	idle := accepting(t, func(conn *net.TCPConn) {
		relayed <- struct{}{}
		_, _ = io.Copy(io.Discard, conn)
	})
	at := startChild(t, idle, echo(t, "h"), resolving(t, "d"))
	limits, files := affordable(bootstrap.Default().Limits, fewDescriptors)
	for range 2 * limits.MaxDatagramSessions {
		conn, err := net.Dial("udp", at.UDP)
		if err != nil {
			t.Fatal(err)
		}
		say(conn, "x")
		_ = conn.Close()
	}
	// Of two ports each keeps an eighth of the files, and each that is relayed takes two.
	most, count := (files-files/8)/2, 0
	eventually(t, "as many as there is room for are relayed", func() bool {
		if conn, err := net.Dial("tcp", at.TCP); err == nil { // It may be reset as early as that.
			t.Cleanup(func() { _ = conn.Close() })
		}
		count += len(relayed)
		for range len(relayed) {
			<-relayed
		}
		return count >= most
	})
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 20 {
		answer, err := client.Get("http://" + at.HTTP + "/")
		if err != nil {
			t.Fatalf("another listener: %v", err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("another listener answers %d", answer.StatusCode)
		}
	}
	if count += len(relayed); count > most {
		t.Errorf("%d are relayed, and there is room for %d", count, most)
	}
}
