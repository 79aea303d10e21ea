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

package push

import (
	"iter"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// perEntry allows for what surrounds a resource or a name in an Update: its tag and its length.
const perEntry = 8

// chunks packs a difference into Updates of at most limit encoded bytes each. An entry that is larger by itself travels
// alone. There is none when there is no difference.
func chunks(upserts []entry, removals []string, limit int) iter.Seq[*adminv1.Update] {
	return func(yield func(*adminv1.Update) bool) {
		update, size := &adminv1.Update{}, 0
		// room tells whether the consumer still wants more, after handing it the full chunk when size bytes do not fit.
		room := func(bytes int) bool {
			if size > 0 && size+bytes > limit {
				if !yield(update) {
					return false
				}
				update, size = &adminv1.Update{}, 0
			}
			size += bytes
			return true
		}
		for _, name := range removals {
			if !room(len(name) + perEntry) {
				return
			}
			update.Removals = append(update.Removals, name)
		}
		for _, upsert := range upserts {
			if !room(upsert.size + perEntry) {
				return
			}
			update.Upserts = append(update.Upserts, upsert.resource)
		}
		if size > 0 {
			yield(update)
		}
	}
}
