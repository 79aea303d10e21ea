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
	"cmp"
	"iter"
	"slices"
)

// pageSize is how many entries a page has that is made; it has up to twice as many until it is divided.
const pageSize = 128

// pages are entries in order of their names, in pages of which none is empty. Neither is changed once it is made: what is made of
// it shares the pages that stay, so that a change among thousands of entries costs a few pages.
type pages [][]entry

// pagesOf divides entries that are in order.
func pagesOf(entries []entry) pages {
	return pages{}.append(entries)
}

func (p pages) len() int {
	total := 0
	for _, page := range p {
		total += len(page)
	}
	return total
}

// all are the entries in order.
func (p pages) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for _, page := range p {
			for i := range page {
				if !yield(&page[i]) {
					return
				}
			}
		}
	}
}

// find gives the entry of a name; nil where there is none.
func (p pages) find(name string) *entry {
	at, first := slices.BinarySearchFunc(p, name, func(page []entry, name string) int { return cmp.Compare(page[0].name, name) })
	if first {
		return &p[at][0]
	}
	if at == 0 {
		return nil
	}
	page := p[at-1]
	if i, found := slices.BinarySearchFunc(page, name, byName); found {
		return &page[i]
	}
	return nil
}

func byName(e entry, name string) int { return cmp.Compare(e.name, name) }

// change is what a name is to be: an entry, or nil for none.
type change struct {
	name string
	to   *entry
}

// with makes changes, which are in order of their names, each once.
func (p pages) with(changes []change) pages {
	if len(p) == 0 {
		return pagesOf(changed(nil, changes))
	}
	next := make(pages, 0, len(p)+1)
	for i, page := range p {
		here := len(changes)
		if i+1 < len(p) {
			here, _ = slices.BinarySearchFunc(changes, p[i+1][0].name, func(c change, name string) int { return cmp.Compare(c.name, name) })
		}
		if here == 0 {
			next = append(next, page)
			continue
		}
		next = next.append(changed(page, changes[:here]))
		changes = changes[here:]
	}
	return next
}

// changed is a page with changes.
func changed(page []entry, changes []change) []entry {
	made := make([]entry, 0, len(page)+len(changes))
	for _, c := range changes {
		at, found := slices.BinarySearchFunc(page, c.name, byName)
		made = append(made, page[:at]...)
		page = page[at:]
		if found {
			page = page[1:]
		}
		if c.to != nil {
			made = append(made, *c.to)
		}
	}
	return append(made, page...)
}

// append adds entries that come after all others, in pages of their own unless they are few.
func (p pages) append(entries []entry) pages {
	if last := len(p) - 1; last >= 0 && len(entries) < pageSize/4 && len(p[last])+len(entries) <= 2*pageSize {
		p[last] = slices.Concat(p[last], entries)
		return p
	}
	if len(entries) > 0 && len(entries) <= 2*pageSize {
		return append(p, entries)
	}
	for page := range slices.Chunk(entries, pageSize) {
		p = append(p, page)
	}
	return p
}

// walk is a place between the entries of pages.
type walk struct {
	pages pages
	at    int
}

// entry is the next one; nil at the end.
func (w *walk) entry() *entry {
	if len(w.pages) == 0 {
		return nil
	}
	return &w.pages[0][w.at]
}

func (w *walk) step() {
	w.at++
	if w.at == len(w.pages[0]) {
		w.pages, w.at = w.pages[1:], 0
	}
}

// skip passes over the pages that both have.
func (w *walk) skip(other *walk) {
	for w.at == 0 && other.at == 0 && len(w.pages) > 0 && len(other.pages) > 0 && samePage(w.pages[0], other.pages[0]) {
		w.pages, other.pages = w.pages[1:], other.pages[1:]
	}
}

func samePage(a, b []entry) bool { return len(a) == len(b) && &a[0] == &b[0] }
