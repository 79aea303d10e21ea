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
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/forward"
)

// pattern is content that differs at every place and from every other seed's.
func pattern(seed uint64, size int) []byte {
	content := make([]byte, size)
	random := rand.New(rand.NewPCG(seed, 1))
	for i := 0; i+8 <= len(content); i += 8 {
		binary.LittleEndian.PutUint64(content[i:], random.Uint64())
	}
	return content
}

// patterned answers /SEED/SIZE with that content, after reading the request's, whose hash it names. Paths that begin with
// /cut break off in the middle.
func patterned(w http.ResponseWriter, r *http.Request) {
	path, cut := strings.CutPrefix(r.URL.Path, "/cut")
	seed, size, _ := strings.Cut(path[1:], "/")
	number, _ := strconv.ParseUint(seed, 10, 64)
	bytes, _ := strconv.Atoi(size)
	sum := sha256.New()
	if _, err := io.Copy(sum, r.Body); err != nil {
		return
	}
	content := pattern(number, bytes)
	w.Header().Set("Content-Length", size)
	w.Header().Set("X-Sum", fmt.Sprintf("%x", sum.Sum(nil)))
	if cut {
		_, _ = w.Write(content[:bytes/2])
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(content)
}

// Content that goes through pipes is nobody else's: not when there are more contents than pipes, and not when others break
// off while a pipe still holds something of theirs.
func TestLargeContentAmongBrokenOnes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	_, at := one(t, patterned)
	c := client(t)
	c.Timeout = 0 // As long as anything may take: all of them share the machine.
	exchange := func(random *rand.Rand) error {
		number, size := random.Uint64(), 16<<10+random.IntN(1<<20)
		upload := pattern(random.Uint64(), random.IntN(600<<10))
		prefix, leaves := "", false
		switch random.IntN(4) {
		case 0:
			prefix = "/cut"
		case 1:
			leaves, size = true, 6<<20 // More than sockets hold, so that the proxy has some of it in its hands.
		}
		r, err := c.Post(fmt.Sprintf("http://%s%s/%d/%d", at, prefix, number, size), "", bytes.NewReader(upload))
		if err != nil {
			return err
		}
		defer func() { _ = r.Body.Close() }()
		if want := fmt.Sprintf("%x", sha256.Sum256(upload)); r.Header.Get("X-Sum") != want {
			return fmt.Errorf("status %d: the endpoint read other content than was sent", r.StatusCode)
		}
		wanted := pattern(number, size)
		if leaves {
			part := make([]byte, random.IntN(64<<10))
			if _, err := io.ReadFull(r.Body, part); err != nil {
				return err
			}
			if !bytes.Equal(part, wanted[:len(part)]) {
				return fmt.Errorf("other content than was sent, in %d bytes", len(part))
			}
			return nil
		}
		got, err := io.ReadAll(r.Body)
		if !bytes.HasPrefix(wanted, got) {
			return fmt.Errorf("other content than was sent, in %d bytes", len(got))
		}
		if (prefix == "") != (err == nil && len(got) == size) {
			return fmt.Errorf("%s: got %d of %d bytes, %w", prefix, len(got), size, err)
		}
		return nil
	}
	var running sync.WaitGroup
	for worker := range 24 {
		running.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range 8 {
				if err := exchange(random); err != nil {
					t.Errorf("worker %d: %v", worker, err)
				}
			}
		})
	}
	running.Wait()
	eventually(t, "no connection of a client is left", func() bool {
		c.CloseIdleConnections()
		return openTo(at) == 0
	})
}

// More contents than there are pipes, all of them under way at one time.
func TestMoreContentsThanPipes(t *testing.T) {
	const count, size = 160, 300 << 10
	_, at := one(t, patterned)
	downloads := make([]net.Conn, count)
	for i := range downloads {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(patience))
		say(conn, fmt.Sprintf("GET /%d/%d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", i, size))
		downloads[i] = conn
	}
	for i, conn := range downloads {
		all, err := io.ReadAll(conn)
		_, content, _ := bytes.Cut(all, []byte("\r\n\r\n"))
		if err != nil || !bytes.Equal(content, pattern(uint64(i), size)) {
			t.Fatalf("download %d: %d bytes, %v", i, len(content), err)
		}
	}
}

// An endpoint that stops in the middle is a broken response; a client that stops in the middle is answered 408, and its
// content is no endpoint's request.
func TestContentThatStops(t *testing.T) {
	impatient := func(t *testing.T, handler http.HandlerFunc) (*Proxy, string) {
		p := start(t, new(table).listener("listener/http", 80, "").
			backend("b", serve(t, handler)).route("r", "listener/http", "/", "b").resources, func(c *Config) {
			c.Bootstrap.Limits.BodyTimeout = bootstrap.Duration(100 * time.Millisecond)
			c.Bootstrap.Limits.StreamTimeout = bootstrap.Duration(100 * time.Millisecond)
		})
		return p, address(t, p, 80)
	}
	counted := func(t *testing.T, p *Proxy, outcome forward.Outcome) {
		eventually(t, "it is counted once", func() bool { return p.Requests()[outcome] == 1 })
	}
	t.Run("of an endpoint", func(t *testing.T) {
		hold := make(chan struct{})
		defer close(hold)
		p, at := impatient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(1<<20))
			_, _ = w.Write(make([]byte, 200<<10))
			_ = http.NewResponseController(w).Flush()
			<-hold
		})
		r, err := client(t).Get("http://" + at)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r.Body); err == nil {
			t.Errorf("a response of %d bytes ended as if it was whole", len(got))
		}
		_ = r.Body.Close()
		counted(t, p, forward.Outcome{Status: 200, Reason: forward.ReasonUpstream})
	})
	t.Run("of a client", func(t *testing.T) {
		p, at := impatient(t, patterned)
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(patience))
		say(conn, "POST /1/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
		_, _ = conn.Write(make([]byte, 300<<10))
		if got, _ := io.ReadAll(conn); !bytes.HasPrefix(got, []byte("HTTP/1.1 408 ")) {
			t.Errorf("got %.60q, want 408", got)
		}
		counted(t, p, forward.Outcome{Status: 408, Reason: forward.ReasonClient})
	})
}
