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
	"testing"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

const held5000 = 5000

// commitOne changes one of many endpoints, over and over.
func commitOne(b *testing.B) {
	table := NewTable(&keeping{}, 64<<20)
	session, generation := table.begin(), uint64(0)
	commit := func(resources ...*adminv1.Resource) {
		s := newStaged()
		if err := s.add(&adminv1.Update{Upserts: resources}, 64<<20); err != nil {
			b.Fatal(err)
		}
		generation++
		ack, err := table.commit(session, s, &adminv1.Commit{Generation: generation, TableHash: table.with(s).hash})
		if err != nil || ack.GetRefused() != adminv1.Refusal_REFUSAL_UNSPECIFIED {
			b.Fatal(ack, err)
		}
	}
	all := make([]*adminv1.Resource, held5000)
	for i := range all {
		all[i] = listener(fmt.Sprintf("listener/%d", i), uint32(i+1))
	}
	commit(all...)
	b.ReportAllocs()
	for b.Loop() {
		all[0] = listener("listener/0", uint32(generation%60_000+1))
		commit(all[0])
	}
}

func BenchmarkCommitOne(b *testing.B) { commitOne(b) }

// A small change allocates little for each of the resources that stay: it is what a proxy with thousands of routes collects all the time.
func TestCommitOfOneAmongMany(t *testing.T) {
	// The snapshot's list, and room for half as much again.
	const most = 8 + 4
	if each := testing.Benchmark(commitOne).AllocedBytesPerOp() / held5000; each > most {
		t.Errorf("a change of one resource allocates %d bytes for each of the %d that stay, want at most %d", each, held5000, most)
	}
}
