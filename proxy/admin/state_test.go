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
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// commitTo makes resources the table of a generation.
func commitTo(t *testing.T, table *Table, generation uint64, resources ...*adminv1.Resource) {
	t.Helper()
	s := newStaged()
	if err := s.add(&adminv1.Update{Upserts: resources}, 1<<20); err != nil {
		t.Fatal(err)
	}
	ack, err := table.commit(table.begin(), s, &adminv1.Commit{Generation: generation, TableHash: tableHash(resources...)})
	if err != nil || ack.GetRefused() != 0 {
		t.Fatalf("commit: %v, %v", ack, err)
	}
}

func TestTableOutlivesARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "table")
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	ctx, stop := context.WithCancel(context.Background())
	var keeping sync.WaitGroup
	before := NewTable(&applied{}, 1<<20)
	keeping.Go(func() { before.Keep(ctx, file, time.Millisecond, logger) })
	a, b := listener("listener/a", 1001), listener("listener/b", 1002)
	commitTo(t, before, 7, a, b)
	eventually(t, "the table is written", func() bool { _, err := os.Stat(file); return err == nil })
	commitTo(t, before, 8, a, b)
	stop()
	keeping.Wait()

	served := &applied{}
	after := NewTable(served, 1<<20)
	restored, quarantined, err := after.Restore(file)
	if err != nil || !restored || len(quarantined) > 0 {
		t.Fatalf("restore: %t, %v, %v", restored, quarantined, err)
	}
	if generation, hash := after.Serving(); generation != 8 || hash != tableHash(a, b) {
		t.Errorf("serves %d %s, want the last table before the end, 8 %s", generation, hash, tableHash(a, b))
	}
	if len(served.snapshots) != 1 || len(served.snapshots[0].Listeners) != 2 {
		t.Errorf("applied %+v, want the two listeners", served.snapshots)
	}
	if entries := after.inventory("")[0].GetEntries(); len(entries) != 2 || entries[0].GetHash() != a.GetHash() {
		t.Errorf("inventory %v: the operator must not need to send anything", entries)
	}
}

func TestStateFileThatCannotBeUsed(t *testing.T) {
	good := filepath.Join(t.TempDir(), "table")
	a := listener("listener/a", 1001)
	only, err := hold(a, a.GetHash())
	if err != nil {
		t.Fatal(err)
	}
	resources := [][]byte{only.encoded}
	if err := writeState(good, &adminv1.Commit{Generation: 1, TableHash: tableHash(a)}, resources); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(t.TempDir(), "table")
	if err := writeState(wrong, &adminv1.Commit{Generation: 1, TableHash: "other"}, resources); err != nil {
		t.Fatal(err)
	}
	wrongData, err := os.ReadFile(wrong)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		reason string
		data   []byte
		err    string
	}{
		"good":          {"otherwise the other cases would prove nothing", data, ""},
		"empty":         {"a disk may lose what was not synced", nil, "cut short"},
		"cut":           {"half a table is not a table", data[:len(data)-3], "damaged"},
		"changed":       {"a bit may turn", bytes.Replace(data, []byte("listener/a"), []byte("listener/x"), 1), "damaged"},
		"another table": {"what is served must be what was committed", wrongData, "hash of its commit"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "table")
			if err := os.WriteFile(file, test.data, 0o600); err != nil {
				t.Fatal(err)
			}
			served := &applied{}
			_, _, err := NewTable(served, 1<<20).Restore(file)
			if test.err == "" {
				if err != nil {
					t.Errorf("%s: %v", test.reason, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want one with %q", test.reason, err, test.err)
			}
			if served.count() != 0 {
				t.Errorf("%s: something was applied", test.reason)
			}
		})
	}
}

func TestNoStateFileIsNoError(t *testing.T) {
	restored, _, err := NewTable(&applied{}, 1<<20).Restore(filepath.Join(t.TempDir(), "table"))
	if restored || err != nil {
		t.Errorf("the first start of a pod: got %t, %v", restored, err)
	}
}
