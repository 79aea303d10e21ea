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
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
)

// ChunkBytes bounds the encoded size of one Update or Inventory message: well below gRPC's default limit of 4 MiB, so
// that neither the size of a table nor the number of its resources meets a limit of the transport.
const ChunkBytes = 512 << 10

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

// TableHash is the hash of a table given as resource name -> content hash: SHA-256 over its entries in order of their
// names, each name and hash preceded by its length as four bytes, big endian; the first 16 bytes as 32 hexadecimal
// digits. An empty table has a hash too. Both ends compute it, so its definition is part of the protocol.
func TableHash(hashes map[string]string) string {
	var encoded []byte
	for _, name := range slices.Sorted(maps.Keys(hashes)) {
		encoded = appendString(encoded, name)
		encoded = appendString(encoded, hashes[name])
	}
	return digest(encoded)
}

func appendString(to []byte, s string) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(s)))
	return append(to, s...)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}
