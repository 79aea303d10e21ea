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

// Package adminv1 is the admin API: the protocol of admin.proto, and the hashes that both of its ends compute.
package adminv1

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// ChunkBytes bounds the encoded size of one Update or Inventory message: well below gRPC's default limit of 4 MiB, so
// that neither the size of a table nor the number of its resources meets a limit of the transport.
const ChunkBytes = 512 << 10

// MaxGeneration bounds what a replica can claim, to the operator and to the other replicas, so that the one after it exists.
const MaxGeneration = uint64(1) << 62

// Hash is the content hash of a resource: the first 16 bytes of SHA-256 over its spec in deterministic encoding, as
// 32 hexadecimal digits. Name and Hash of the resource do not enter.
func Hash(resource *Resource) (string, error) {
	spec := &Resource{Spec: resource.GetSpec()}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(spec)
	if err != nil {
		return "", fmt.Errorf("hash resource %q: %w", resource.GetName(), err)
	}
	return digest(encoded), nil
}

// TableHash is the hash of a table given as resource name -> content hash. Both ends compute it, so its definition, which is
// TableSum's, is part of the protocol. An empty table has a hash too.
func TableHash(hashes map[string]string) string {
	var sum TableSum
	for name, hash := range hashes {
		sum.Add(name, hash)
	}
	return sum.Hash()
}

// TableSum is a table's hash on its way: entries are added and taken off in any order, so that a change of one costs one, whatever
// else the table holds. For each entry it adds SHA-256 over name and content hash, each preceded by its length as four bytes, big
// endian, as four words of 64 bits, big endian, each modulo 2^64. The table's hash is the first 16 bytes of SHA-256 over the four
// words, as 32 hexadecimal digits.
//
// It tells tables apart that differ by accident. Whoever may make tables could make two of one sum with much work; only the
// operator may.
type TableSum [4]uint64

// Add an entry to the table.
func (t *TableSum) Add(name, hash string) {
	words := entrySum(name, hash)
	for i := range t {
		t[i] += words[i]
	}
}

// Remove an entry that was added.
func (t *TableSum) Remove(name, hash string) {
	words := entrySum(name, hash)
	for i := range t {
		t[i] -= words[i]
	}
}

// Hash of the table that has what was added and not removed.
func (t *TableSum) Hash() string {
	var encoded []byte
	for _, word := range t {
		encoded = binary.BigEndian.AppendUint64(encoded, word)
	}
	return digest(encoded)
}

func entrySum(name, hash string) (words [4]uint64) {
	var room [256]byte
	sum := sha256.Sum256(appendString(appendString(room[:0], name), hash))
	for i := range words {
		words[i] = binary.BigEndian.Uint64(sum[8*i:])
	}
	return words
}

func appendString(to []byte, s string) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(s)))
	return append(to, s...)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}
