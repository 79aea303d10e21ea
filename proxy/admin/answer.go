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
	"maps"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

// maxMessage is what ResourceError.message may have.
const maxMessage = 1024

// maxAckErrors bounds the encoded errors of an Ack, which is one message, well below gRPC's default limit of 4 MiB.
const maxAckErrors = 2 << 20

// resourceErrors gives the errors as the admin API has them. When they are too many for one message, the later ones
// come without their text, and at last not at all.
func resourceErrors(errors []config.Error) []*adminv1.ResourceError {
	encoded := make([]*adminv1.ResourceError, 0, len(errors))
	size := 0
	for _, e := range errors {
		one := &adminv1.ResourceError{
			Name: bounded(e.Resource), Code: adminv1.ErrorCode(e.Code), Message: bounded(e.Message),
		}
		if size > maxAckErrors/2 {
			one.Message = ""
		}
		size += proto.Size(one) + 8
		if size > maxAckErrors {
			break
		}
		encoded = append(encoded, one)
	}
	return encoded
}

// bounded cuts a text to what a message may have, at the border of a character.
func bounded(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	end := maxMessage
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// inventory gives what is held, in messages of at most adminv1.ChunkBytes.
func (t *Table) inventory(version string) []*adminv1.Inventory {
	t.mu.Lock()
	defer t.mu.Unlock()
	message := func() *adminv1.Inventory {
		return &adminv1.Inventory{Generation: t.generation, TableHash: t.hash, ProxyVersion: version}
	}
	current := message()
	messages := []*adminv1.Inventory{current}
	size := proto.Size(current)
	for _, name := range slices.Sorted(maps.Keys(t.held)) {
		entry := &adminv1.Inventory_Entry{Name: name, Hash: t.held[name].hash}
		// Eight bytes are enough for the tag and the length before an entry.
		added := proto.Size(entry) + 8
		if size+added > adminv1.ChunkBytes && len(current.Entries) > 0 {
			current.More = true
			current = message()
			messages = append(messages, current)
			size = proto.Size(current)
		}
		current.Entries = append(current.Entries, entry)
		size += added
	}
	return messages
}
