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

package message

// Field is one field line: a name and a value (RFC 9110 section 5). The name keeps the case in which it came.
type Field struct {
	Name  string
	Value string
}

// Fields is a field section: field lines in their order. The zero value is empty and ready to use. Names are compared
// without regard to case (RFC 9110 section 5.1).
type Fields struct {
	lines []Field
}

// Len is the number of field lines.
func (f *Fields) Len() int {
	if f == nil {
		return 0
	}
	return len(f.lines)
}

// Line is the name and the value of line i, counted from 0.
func (f *Fields) Line(i int) (name, value string) {
	return f.lines[i].Name, f.lines[i].Value
}

// Add appends a line.
func (f *Fields) Add(name, value string) {
	f.lines = append(f.lines, Field{Name: name, Value: value})
}

// Set replaces all lines of that name by one, in the place of the first of them.
func (f *Fields) Set(name, value string) {
	for i := range f.lines {
		if !EqualNames(f.lines[i].Name, name) {
			continue
		}
		f.lines[i].Value = value
		f.keep(i+1, func(line Field) bool { return !EqualNames(line.Name, name) })
		return
	}
	f.Add(name, value)
}

// Get is the value of the first line of that name, and whether there is one.
func (f *Fields) Get(name string) (string, bool) {
	for i := range f.Len() {
		if EqualNames(f.lines[i].Name, name) {
			return f.lines[i].Value, true
		}
	}
	return "", false
}

// Remove drops all lines of that name.
func (f *Fields) Remove(name string) {
	f.keep(0, func(line Field) bool { return !EqualNames(line.Name, name) })
}

// RemoveFunc drops the lines whose name drop says yes to.
func (f *Fields) RemoveFunc(drop func(name string) bool) {
	f.keep(0, func(line Field) bool { return !drop(line.Name) })
}

// Reset empties the section and keeps its memory for the next message.
func (f *Fields) Reset() {
	clear(f.lines)
	f.lines = f.lines[:0]
}

// keep drops the lines from index on that wanted says no to.
func (f *Fields) keep(from int, wanted func(Field) bool) {
	kept := f.lines[:from]
	for _, line := range f.lines[from:] {
		if wanted(line) {
			kept = append(kept, line)
		}
	}
	clear(f.lines[len(kept):])
	f.lines = kept
}

// EqualNames compares field names without regard to the case of ASCII letters; other bytes are compared as they are.
func EqualNames(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
