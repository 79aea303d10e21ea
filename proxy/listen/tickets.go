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

package listen

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
)

// maxSecrets is how many are kept: tickets can be redeemed for as many intervals.
const maxSecrets = 3

// tickets make the keys of session tickets (RFC 8446 section 4.6.1). They never leave the process, and each listener has
// its own, derived from a secret that changes: a session of one listener cannot go on under another, whose rules about
// clients may differ. New tables keep the secrets, so that they cost no client its session.
type tickets struct {
	// secrets, the newest first.
	secrets [][32]byte
}

func newTickets() *tickets {
	t := &tickets{}
	t.rotate()
	return t
}

// rotate makes a new secret the one that tickets are made with.
func (t *tickets) rotate() {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // It ends the process rather than fail.
	kept := t.secrets[:min(len(t.secrets), maxSecrets-1)]
	t.secrets = append([][32]byte{secret}, kept...)
}

// of gives the keys of a listener, the one to make tickets with first.
func (t *tickets) of(listener string) [][32]byte {
	keys := make([][32]byte, len(t.secrets))
	for i, secret := range t.secrets {
		key, err := hkdf.Key(sha256.New, secret[:], nil, "session tickets of "+listener, len(keys[i]))
		if err != nil {
			panic(err) // Only for a length that cannot be.
		}
		copy(keys[i][:], key)
	}
	return keys
}
