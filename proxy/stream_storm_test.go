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
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
)

// order of a stream, in its first 24 bytes: the seed of what is to be sent back, how much of it, and after how much of
// that the endpoint breaks off; at least as much for not at all.
type streamOrder struct{ Seed, Size, Breaks uint64 }

// ordering is an endpoint that sends what is ordered, and then the hash of what it was told.
func ordering(conn *net.TCPConn) {
	var wanted streamOrder
	if binary.Read(conn, binary.BigEndian, &wanted) != nil {
		return
	}
	sum := sha256.New()
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(sum, conn)
		read <- err
	}()
	content, breaks := pattern(wanted.Seed, int(wanted.Size)), wanted.Breaks < wanted.Size
	_, _ = conn.Write(content[:min(wanted.Breaks, wanted.Size)])
	if breaks {
		abort(conn)
	}
	if <-read == nil && !breaks {
		_, _ = conn.Write(sum.Sum(nil))
	}
}

// place orders something over a connection of its own, and says what was wrong with it.
func place(at string, random *rand.Rand) error {
	conn, err := net.Dial("tcp", at)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	size := uint64(random.IntN(1<<20)) &^ 7
	wanted := streamOrder{Seed: random.Uint64(), Size: size, Breaks: size}
	leaves := false
	switch random.IntN(4) {
	case 0:
		wanted.Breaks = random.Uint64N(size + 1)
	case 1:
		leaves = true
	}
	upload := pattern(random.Uint64(), random.IntN(600<<10))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if binary.Write(conn, binary.BigEndian, wanted) == nil {
			_, _ = conn.Write(upload)
		}
		if !leaves {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	content := pattern(wanted.Seed, int(wanted.Size))
	if leaves {
		part := make([]byte, random.Uint64N(size+1))
		_, err := io.ReadFull(conn, part)
		abort(conn)
		<-sent
		if err != nil || !bytes.HasPrefix(content, part) {
			return fmt.Errorf("%d bytes that were not sent, %w", len(part), err)
		}
		return nil
	}
	got, err := io.ReadAll(conn)
	<-sent
	if wanted.Breaks < wanted.Size {
		if err == nil || !bytes.HasPrefix(content, got) {
			return fmt.Errorf("%d bytes of one that was broken off after %d, %w", len(got), wanted.Breaks, err)
		}
		return nil
	}
	sum := sha256.Sum256(upload)
	if err != nil || !bytes.Equal(got, append(content, sum[:]...)) {
		return fmt.Errorf("%d bytes of %d, %w", len(got), len(content)+len(sum), err)
	}
	return nil
}

// Streams that break off anywhere cost nobody else a byte, and leave nothing behind; there are more of them than pipes.
func TestStormOfStreams(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	p := start(t, toTCP(accepting(t, ordering), accepting(t, ordering)).resources, func(c *Config) {
		// As long as anything may take: a machine that is busy is no fault of the endpoints.
		c.Bootstrap.Limits.ConnectTimeout, c.Bootstrap.Limits.WriteTimeout = bootstrap.Duration(time.Hour), bootstrap.Duration(time.Hour)
	})
	at := address(t, p, 5432)
	const workers, rounds = 160, 4
	var running sync.WaitGroup
	faults := make(chan error, workers*rounds)
	for worker := range workers {
		running.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range rounds {
				faults <- place(at, random)
			}
		})
	}
	running.Wait()
	close(faults)
	var all error
	for err := range faults {
		all = errors.Join(all, err)
	}
	if all != nil {
		t.Errorf("%v: streams ended as %v", all, p.Streams())
	}
	eventually(t, "each was counted once", func() bool {
		total := uint64(0)
		for _, count := range p.Streams() {
			total += count.Streams
		}
		return total == workers*rounds
	})
	eventually(t, "no connection of a client is left", func() bool { return openTo(at) == 0 })
}
