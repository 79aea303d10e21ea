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
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// dials is the variable by which the test binary is an operator: addresses of pods that do not run, and where to dial instead.
const dials = "OPERATOR_DIALS"

func TestMain(m *testing.M) {
	ctrl.SetLogger(zap.New())
	if where, asked := os.LookupEnv(dials); asked {
		if err := operate([]byte(where)); err != nil {
			fmt.Fprintln(os.Stderr, "the operator ended:", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if shared.environment != nil {
		if err := shared.environment.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// operate does what main does.
func operate(where []byte) error {
	settings, err := parse(flag.NewFlagSet(os.Args[0], flag.ExitOnError), os.Args[1:])
	if err != nil {
		return err
	}
	to := map[string]string{}
	if err := json.Unmarshal(where, &to); err != nil {
		return err
	}
	settings.controller.DialOptions = []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", to[address])
	})}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&settings.zap)))
	restConfig, err := config.GetConfig()
	if err != nil {
		return err
	}
	return run(ctrl.SetupSignalHandler(), restConfig, settings)
}

// process is an operator that runs as a process of its own.
type process struct {
	t       *testing.T
	name    string
	gate    *gate
	probes  string
	command *exec.Cmd
	// ended is closed when the process has.
	ended chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

// Write takes in the log.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

// operator starts an operator of the site.
func (s *site) operator(name string) *process {
	s.t.Helper()
	p := &process{t: s.t, name: name, gate: newGate(s.t, s.config)}
	s.t.Cleanup(func() {
		if s.t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			s.t.Logf("what operator %s said at the end:\n%s", name, p.log.Bytes()[max(0, p.log.Len()-6000):])
		}
	})
	s.start(p)
	return p
}

// start starts a process, for the first time or again.
func (s *site) start(p *process) {
	s.t.Helper()
	where, err := json.Marshal(s.dials)
	if err != nil {
		s.t.Fatal(err)
	}
	p.probes = freeAddress(s.t)
	p.command = exec.Command(os.Args[0], append([]string{ //nolint:gosec // it is this binary
		"--operator-namespace=" + s.namespace, "--proxy-image=proxy:test", "--metrics-bind-address=0",
		"--health-probe-bind-address=" + p.probes, "--zap-encoder=console",
	}, terms...)...)
	p.command.Env = append(p.gate.environment(), dials+"="+string(where))
	p.command.Stdout, p.command.Stderr = p, p
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	command, ended := p.command, make(chan struct{})
	p.ended = ended
	go func() {
		defer close(ended)
		_ = command.Wait() // how it ended is its state
	}()
	s.t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended
		<-ended
	})
}

// terms leave a slow machine time to renew the lease.
var terms = []string{"--leader-elect-lease-duration=8s", "--leader-elect-renew-deadline=5s", "--leader-elect-retry-period=500ms"}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func (p *process) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		p.t.Fatalf("operator %s: %v", p.name, err)
	}
}

// end waits until the process has ended, and gives its exit code; -1 when it was killed.
func (p *process) end() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode()
	case <-time.After(patient):
		p.t.Fatalf("operator %s does not end", p.name)
		return 0
	}
}

func (p *process) says(what string) func() bool {
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Contains(p.log.String(), what)
	}
}

// probe asks an endpoint of the process for its status; 0 when nobody answers.
func (p *process) probe(path string) int {
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.probes+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}
