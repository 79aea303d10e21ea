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
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

func TestSettle(t *testing.T) {
	const large = settleBytes
	tests := map[string]struct {
		reason string
		// came is how many bytes came when, and want how often memory was given back after each second.
		came map[int]int
		want string
	}{
		"little":     {"a collection costs more than it gives", map[int]int{0: large / 2, 1: large/2 - 1}, "000000000000"},
		"bit by bit": {"a table may come route by route", map[int]int{0: large / 2, 2: large / 4, 3: large / 4}, "000000001111"},
		"much":       {"the message has been let go of by then", map[int]int{0: large}, "000001111111"},
		"in a row":   {"commits that follow each other cost one", map[int]int{0: large, 1: large, 4: 10 * large}, "000001111111"},
		"much later": {"there is something to give back again", map[int]int{0: large, 6: large}, "000001111112"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var given atomic.Int64
				m := memory{giveBack: func() { given.Add(1) }}
				var got strings.Builder
				for second := range len(test.want) {
					synctest.Wait()
					fmt.Fprint(&got, given.Load())
					m.settle(test.came[second])
					time.Sleep(time.Second)
				}
				if got.String() != test.want {
					t.Errorf("memory was given back %s times, want %s: %s", got.String(), test.want, test.reason)
				}
			})
		})
	}
}

func TestGarbageThatIsAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		held   uint64
		want   int
	}{
		"nothing":  {"nothing was collected yet", 0, 100},
		"little":   {"a small process is not to collect all the time", 4 << 20, 100},
		"garbage":  {"this much and no more may be thrown away", 16 << 20, 100},
		"thousand": {"it does not grow with what is held", 32 << 20, 50},
		"most":     {"but what is marked in vain is bounded too", 200 << 20, 25},
	} {
		if got := gcPercent(c.held); got != c.want {
			t.Errorf("%s: with %d bytes held %d percent may be thrown away, want %d: %s", name, c.held, got, c.want, c.reason)
		}
	}
}

// Whichever way a large table comes, the memory that it took on its way is given back.
func TestTablesSettle(t *testing.T) {
	var resources []*adminv1.Resource
	for i := range 4 {
		resources = append(resources, listener(fmt.Sprint("listener/", i, strings.Repeat("x", settleBytes/4)), uint32(1001+i)))
	}
	file := filepath.Join(t.TempDir(), "table")
	committed := func(t *testing.T, table *Table) { commitTo(t, table, 1, resources...) }
	ways := map[string]func(t *testing.T, table *Table){
		"commit": committed,
		"state file": func(t *testing.T, table *Table) {
			other := NewTable(&applied{}, 10<<20)
			other.memory.giveBack = func() {}
			committed(t, other)
			commit, kept := other.toKeep()
			if err := writeState(file, commit, kept); err != nil {
				t.Fatal(err)
			}
			if restored, _, err := table.Restore(file); err != nil || !restored {
				t.Fatalf("restore: %t, %v", restored, err)
			}
		},
		"another replica": func(t *testing.T, table *Table) {
			other := NewTable(&applied{}, 10<<20)
			other.memory.giveBack = func() {}
			committed(t, other)
			offer, there := other.offer()
			if _, adopted := table.adopt(offer); !there || !adopted {
				t.Fatalf("offered: %t, adopted: %t", there, adopted)
			}
		},
	}
	for name, come := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var given atomic.Int64
				table := NewTable(&applied{}, 10<<20)
				table.memory.giveBack = func() { given.Add(1) }
				come(t, table)
				time.Sleep(settleDelay + time.Second)
				synctest.Wait()
				if given.Load() != 1 {
					t.Errorf("memory was given back %d times", given.Load())
				}
			})
		})
	}
}
