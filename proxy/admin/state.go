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
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

// stateBuffer is how much of the state file is written at once.
const stateBuffer = 64 << 10

// The state file holds the last table that an operator committed, so that a container that is started again serves at
// once, whether or not its operator is there: the SHA-256 of all that follows, then the Commit that made the table, then
// its resources, each message preceded by its length. It is replaced as a whole, by renaming.

// Restore makes the table of a state file the one that serves, and gives what of it does not. It is false when there is
// no file. A damaged one is an error, and changes nothing.
func (t *Table) Restore(file string) (bool, []config.Error, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, fmt.Errorf("read state: %w", err)
	}
	commit, resources, err := decodeState(data)
	if err != nil {
		return false, nil, fmt.Errorf("state %s: %w", file, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors = t.applier.Apply(snapshotOf(resources))
	t.sum, t.snapshot = nil, nil
	t.held, t.lent = resources, false
	t.hash, t.generation, t.bytes = commit.GetTableHash(), commit.GetGeneration(), 0
	for _, resource := range resources {
		t.bytes += len(resource.encoded)
	}
	t.memory.settle(t.bytes)
	return true, t.errors, nil
}

// Keep writes each table that is committed to a state file, at most one per interval, until ctx ends; then once more,
// when there is something new.
func (t *Table) Keep(ctx context.Context, file string, interval time.Duration, logger *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			t.saveNew(file, logger)
			return
		case <-t.committed:
			t.save(file, logger)
		}
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
}

func (t *Table) saveNew(file string, logger *slog.Logger) {
	select {
	case <-t.committed:
		t.save(file, logger)
	default:
	}
}

func (t *Table) save(file string, logger *slog.Logger) {
	commit, resources := t.toKeep()
	if err := writeState(file, commit, resources); err != nil {
		logger.Error("the table could not be kept; a restart would begin without one", "error", err)
	}
}

// toKeep is the table as it is kept, its resources encoded. They are not lent: the next commit would copy all of them.
func (t *Table) toKeep() (commit *adminv1.Commit, resources [][]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	resources = make([][]byte, 0, len(t.held))
	for _, resource := range t.held {
		resources = append(resources, resource.encoded)
	}
	return &adminv1.Commit{Generation: t.generation, TableHash: t.hash}, resources
}

// writeState replaces the state file, in any order of the resources. It returns when the new one has reached the disk.
func writeState(file string, commit *adminv1.Commit, resources [][]byte) error {
	next := file + ".next"
	opened, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	err = encodeState(opened, commit, resources)
	if err == nil {
		err = opened.Sync()
	}
	if err := errors.Join(err, opened.Close()); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// encodeState writes what a state file holds, piece by piece: a table may be large, and is written every few seconds while it changes.
func encodeState(file *os.File, commit *adminv1.Commit, resources [][]byte) error {
	sum := sha256.New()
	if _, err := file.Seek(sha256.Size, io.SeekStart); err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(io.MultiWriter(file, sum), stateBuffer)
	if _, err := protodelim.MarshalTo(buffered, commit); err != nil {
		return err
	}
	var length []byte
	for _, encoded := range resources {
		length = protowire.AppendVarint(length[:0], uint64(len(encoded)))
		// The buffer keeps the first error.
		_, _ = buffered.Write(length)
		_, _ = buffered.Write(encoded)
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	_, err := file.WriteAt(sum.Sum(nil), 0)
	return err
}

func decodeState(data []byte) (*adminv1.Commit, map[string]*held, error) {
	if len(data) < sha256.Size {
		return nil, nil, errors.New("is cut short")
	}
	sum := sha256.Sum256(data[sha256.Size:])
	if !bytes.Equal(sum[:], data[:sha256.Size]) {
		return nil, nil, errors.New("is damaged: its checksum is another")
	}
	reader := bufio.NewReader(bytes.NewReader(data[sha256.Size:]))
	limits := protodelim.UnmarshalOptions{MaxSize: -1} // The checksum was right: this proxy wrote it.
	commit := &adminv1.Commit{}
	if err := limits.UnmarshalFrom(reader, commit); err != nil {
		return nil, nil, fmt.Errorf("decode commit: %w", err)
	}
	resources := map[string]*held{}
	for {
		resource := &adminv1.Resource{}
		err := limits.UnmarshalFrom(reader, resource)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("decode resource %d: %w", len(resources), err)
		}
		if resources[resource.GetName()], err = hold(resource, resource.GetHash()); err != nil {
			return nil, nil, err
		}
	}
	if adminv1.TableHash(hashes(resources)) != commit.GetTableHash() {
		return nil, nil, errors.New("its resources do not have the hash of its commit")
	}
	return commit, resources, nil
}
