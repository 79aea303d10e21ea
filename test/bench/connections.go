//go:build linux

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
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// dialTimeout bounds one request on one connection, from connecting to the end of the response.
const dialTimeout = 10 * time.Second

// connector is the generator for what wrk and h2load cannot do: full TLS handshakes (wrk offers the session that it has
// from before, so that subjects with session tickets would be measured without them) and connections that are held.
// It runs in a process of its own, on the generators' CPUs.
type connector struct {
	port  int
	tls   *tls.Config
	hello []byte
	// want is the length of a response's content.
	want int64
}

// summary is what a connector prints, as JSON on a line.
type summary struct {
	Requests  int64 `json:"requests"`
	Errors    int64 `json:"errors"`
	ElapsedUS int64 `json:"elapsed_us"`
	P50US     int64 `json:"p50_us"`
	P99US     int64 `json:"p99_us"`
	// Fault is the first error.
	Fault string `json:"fault,omitempty"`
}

func (s summary) result() result {
	return result{
		requests: s.Requests, errors: s.Errors,
		elapsed: time.Duration(s.ElapsedUS) * time.Microsecond,
		p50:     time.Duration(s.P50US) * time.Microsecond,
		p99:     time.Duration(s.P99US) * time.Microsecond,
	}
}

// connectMain is the generator's process: `bench connect FLAGS` opens connections for a time, `bench hold FLAGS` opens a
// number of them, prints a summary, keeps them until its input ends, uses each once more and prints how that went.
func connectMain(hold bool, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("connect", flag.ContinueOnError)
	port := flags.Int("port", 0, "port on 127.0.0.1")
	secure := flags.Bool("tls", false, "make a TLS handshake")
	host := flags.String("host", "", "Host field and server name")
	path := flags.String("path", "/", "path")
	want := flags.Int64("want", 0, "bytes of content in a response")
	workers := flags.Int("workers", 16, "connections that are opened at one time")
	count := flags.Int("count", 0, "connections to hold")
	duration := flags.Duration("duration", time.Second, "how long to go on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	c := &connector{port: *port, want: *want}
	if *secure {
		// The certificate is made for one run; whose it is does not matter here. Its signature is checked all the same.
		c.tls = &tls.Config{
			ServerName: *host, InsecureSkipVerify: true, //nolint:gosec // see above
			MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519},
		}
	}
	closing := "Connection: close\r\n"
	if hold {
		closing = ""
	}
	c.hello = fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", *path, *host, closing)
	encoder := json.NewEncoder(out)
	if !hold {
		ends := time.Now().Add(*duration)
		return encoder.Encode(repeat(*workers, func(int64) bool { return time.Now().Before(ends) }, func(_ int64, r *bufio.Reader) error {
			conn, err := c.open(r)
			if err != nil {
				return err
			}
			return conn.Close()
		}))
	}
	held := make([]net.Conn, *count)
	each := func(n int64) bool { return n < int64(*count) }
	if err := encoder.Encode(repeat(*workers, each, func(n int64, r *bufio.Reader) (err error) {
		held[n], err = c.open(r)
		return err
	})); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	return encoder.Encode(repeat(*workers, each, func(n int64, r *bufio.Reader) error {
		if held[n] == nil {
			return nil // It was counted when it could not be opened.
		}
		defer held[n].Close()
		return c.use(held[n], r)
	}))
}

// open makes a connection and a request on it.
func (c *connector) open(r *bufio.Reader) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", c.port), dialTimeout)
	if err != nil {
		return nil, err
	}
	if c.tls != nil {
		conn = tls.Client(conn, c.tls)
	}
	if err := c.use(conn, r); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// use makes a request on a connection.
func (c *connector) use(conn net.Conn, r *bufio.Reader) error {
	if err := conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write(c.hello); err != nil {
		return err
	}
	r.Reset(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || got != c.want {
		return fmt.Errorf("status %d with %d bytes, want 200 with %d", response.StatusCode, got, c.want)
	}
	return nil
}

// repeat has workers do numbered pieces of work as long as there are more, and sums up how long each took.
func repeat(workers int, more func(n int64) bool, work func(n int64, r *bufio.Reader) error) summary {
	var (
		next   atomic.Int64
		mu     sync.Mutex
		took   []time.Duration
		sum    summary
		waited sync.WaitGroup
	)
	began := time.Now()
	for range workers {
		waited.Go(func() {
			reader := bufio.NewReader(nil)
			for n := next.Add(1) - 1; more(n); n = next.Add(1) - 1 {
				start := time.Now()
				err := work(n, reader)
				mu.Lock()
				took = append(took, time.Since(start))
				if err != nil && sum.Errors == 0 {
					sum.Fault = err.Error()
				}
				if err != nil {
					sum.Errors++
				}
				mu.Unlock()
			}
		})
	}
	waited.Wait()
	sum.ElapsedUS = time.Since(began).Microseconds()
	sum.Requests = int64(len(took))
	slices.Sort(took)
	sum.P50US, sum.P99US = percentile(took, 50).Microseconds(), percentile(took, 99).Microseconds()
	return sum
}

// connectArgs are the arguments for the generator's process.
func connectArgs(s scenario, at target) []string {
	return []string{
		fmt.Sprintf("-port=%d", at.port), fmt.Sprintf("-tls=%t", s.tls), "-host=" + routeOf(0).host, "-path=" + s.path,
		fmt.Sprintf("-want=%d", s.responseBytes),
	}
}

// runConnect loads a subject with new connections.
func runConnect(ctx context.Context, s scenario, at target, d time.Duration) (result, error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	args := append([]string{"connect"}, connectArgs(s, at)...)
	out, err := execute(ctx, "connect", at.cpus, self, append(args, fmt.Sprintf("-workers=%d", s.connections), "-duration="+d.String())...)
	if err != nil {
		return result{}, err
	}
	return parseSummary([]byte(out))
}

func parseSummary(line []byte) (result, error) {
	var sum summary
	if err := json.Unmarshal(line, &sum); err != nil {
		return result{}, fmt.Errorf("summary %q: %w", line, err)
	}
	if sum.Requests == sum.Errors {
		return result{}, fmt.Errorf("%w: %s", errNoResponse, sum.Fault)
	}
	return sum.result(), nil
}

// holder is a generator's process that holds connections.
type holder struct {
	process *process
	release io.Closer
	lines   *bufio.Scanner
}

// startHold opens count connections and gives what that took. Finish must be called after it, unless there is an error.
func startHold(ctx context.Context, s scenario, at target, count int) (*holder, result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, result{}, err
	}
	read, write := io.Pipe()
	p := prepare("hold", at.cpus, write, self, append(append([]string{"hold"}, connectArgs(s, at)...), fmt.Sprintf("-count=%d", count))...)
	input, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, result{}, err
	}
	if err := p.begin(); err != nil {
		return nil, result{}, err
	}
	context.AfterFunc(ctx, func() { _ = write.CloseWithError(context.Cause(ctx)) })
	go func() {
		<-p.ended
		_ = write.CloseWithError(p.exit())
	}()
	h := &holder{process: p, release: input, lines: bufio.NewScanner(read)}
	opened, err := h.summary()
	if err != nil {
		p.stop()
		return nil, result{}, err
	}
	return h, opened, nil
}

func (h *holder) summary() (result, error) {
	if !h.lines.Scan() {
		return result{}, fmt.Errorf("no summary: %w: %s", h.lines.Err(), h.process.said)
	}
	return parseSummary(h.lines.Bytes())
}

// finish uses every connection once more and closes it.
func (h *holder) finish(ctx context.Context) (result, error) {
	defer h.process.stop()
	if err := h.release.Close(); err != nil {
		return result{}, err
	}
	used, err := h.summary()
	if err != nil {
		return result{}, err
	}
	return used, h.process.wait(ctx)
}
