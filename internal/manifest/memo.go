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

package manifest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Memo renders as Render does, and remembers for each Gateway the last input and what came of it: a Gateway is looked at for
// every change of a route, and its objects hardly ever change. The zero value is ready, for several goroutines.
type Memo struct {
	mu   sync.Mutex
	last map[types.NamespacedName]rendering
}

// rendering is what an input, known by its digest, came to.
type rendering struct {
	input  [sha256.Size]byte
	output *Output
	err    error
}

// Render gives what Render gives. The output is shared with later callers and must not be changed; its slice of objects may be
// appended to.
func (m *Memo) Render(in Input) (*Output, error) {
	digest, err := digestOf(in)
	if err != nil {
		return nil, fmt.Errorf("rendering Gateway %s/%s: %w", in.Gateway.Namespace, in.Gateway.Name, err)
	}
	gateway := types.NamespacedName{Namespace: in.Gateway.Namespace, Name: in.Gateway.Name}
	if known, found := m.recall(gateway); found && known.input == digest {
		return known.output, known.err
	}

	output, err := Render(in)
	if output != nil {
		output.Objects = output.Objects[:len(output.Objects):len(output.Objects)]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil {
		m.last = make(map[types.NamespacedName]rendering)
	}
	m.last[gateway] = rendering{input: digest, output: output, err: err}
	return output, err
}

// Forget drops what is remembered of a Gateway that is gone.
func (m *Memo) Forget(gateway types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.last, gateway)
}

func (m *Memo) recall(gateway types.NamespacedName) (rendering, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, found := m.last[gateway]
	return known, found
}

// digestOf is a digest of all that Render reads. Of the Gateway that is little: its status and listeners, which change most, are
// not among it.
func digestOf(in Input) ([sha256.Size]byte, error) {
	read := in
	read.Gateway = nil
	text, err := json.Marshal(map[string]any{
		"input":          read,
		"namespace":      in.Gateway.Namespace,
		"name":           in.Gateway.Name,
		"uid":            in.Gateway.UID,
		"infrastructure": in.Gateway.Spec.Infrastructure,
		"addresses":      in.Gateway.Spec.Addresses,
	})
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("encoding the input: %w", err)
	}
	return sha256.Sum256(text), nil
}
