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
	"log/slog"
	"path/filepath"
	"testing"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

func certificate(chain string, held bool) *adminv1.Resource {
	spec := &adminv1.Certificate{Held: held}
	if chain != "" {
		spec.Chain, spec.Key = []byte(chain), []byte("key of "+chain)
	}
	return hashed(&adminv1.Resource{Name: "certificate/a", Spec: &adminv1.Resource_Certificate{Certificate: spec}})
}

// last is the certificate of the snapshot that was applied last.
func (a *applied) last() *config.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.snapshots[len(a.snapshots)-1].Certificates[0]
}

// A certificate whose Secret has become unusable stays what it was, under the hash that the operator gave it.
func TestHeldCertificate(t *testing.T) {
	served := &applied{}
	table := NewTable(served, 1<<20)
	commitTo(t, table, 1, certificate("good", false))
	good := served.last()
	commitTo(t, table, 2, certificate("", true))
	if got := served.last(); got != good {
		t.Errorf("the certificate is another one, and would be parsed anew: %q", got.Chain)
	}

	file := filepath.Join(t.TempDir(), "table")
	table.save(file, slog.New(slog.DiscardHandler))
	restored := &applied{}
	after := NewTable(restored, 1<<20)
	if there, _, err := after.Restore(file); err != nil || !there {
		t.Fatalf("restore: %t, %v", there, err)
	}
	if got := restored.last(); string(got.Chain) != "good" || string(got.Key) != "key of good" {
		t.Errorf("after a restart the certificate is %q", got.Chain)
	}
	if _, hash := after.Serving(); hash != tableHash(certificate("", true)) {
		t.Error("after a restart the table is not the one that the operator wants")
	}

	commitTo(t, after, 3, certificate("new", false))
	if got := restored.last(); string(got.Chain) != "new" {
		t.Errorf("a mended Secret replaces what was held; got %q", got.Chain)
	}
}

func TestNothingHeld(t *testing.T) {
	served := &applied{}
	table := NewTable(served, 1<<20)
	commitTo(t, table, 1, certificate("", true))
	_, faults := config.Compile(&config.Snapshot{Certificates: []*config.Certificate{served.last()}})
	if len(faults) != 1 || faults[0].Resource != "certificate/a" || faults[0].Message != "chain and key: are empty, and the proxy holds no earlier ones" {
		t.Errorf("a certificate that nothing is held for is quarantined by name; got %v", faults)
	}
}
