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

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func section(pairs ...string) *Fields {
	fields := &Fields{}
	for i := 0; i < len(pairs); i += 2 {
		fields.Add(pairs[i], pairs[i+1])
	}
	return fields
}

func TestFields(t *testing.T) {
	tests := map[string]struct {
		reason string
		change func(*Fields)
		want   *Fields
	}{
		"set": {
			reason: "one line stands where the first was, in the case that it had",
			change: func(f *Fields) { f.Set("a", "3") },
			want:   section("A", "3", "B", "x"),
		},
		"set what is not there": {
			reason: "it is added at the end",
			change: func(f *Fields) { f.Set("c", "3") },
			want:   section("A", "1", "B", "x", "a", "2", "c", "3"),
		},
		"remove": {
			reason: "all lines of the name go, whatever their case, and the order of the others stays",
			change: func(f *Fields) { f.Remove("a") },
			want:   section("B", "x"),
		},
		"reset": {
			reason: "a pooled head begins empty",
			change: func(f *Fields) { f.Reset() },
			want:   section(),
		},
		"reset and add": {
			reason: "nothing of the message before shines through",
			change: func(f *Fields) { f.Reset(); f.Add("n", "1") },
			want:   section("n", "1"),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fields := section("A", "1", "B", "x", "a", "2")
			test.change(fields)
			if diff := cmp.Diff(lines(test.want), lines(fields)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func lines(f *Fields) []Field {
	all := []Field{}
	for i := range f.Len() {
		name, value := f.Line(i)
		all = append(all, Field{name, value})
	}
	return all
}

func TestGet(t *testing.T) {
	fields := section("A", "1", "a", "2")
	if value, found := fields.Get("a"); !found || value != "1" {
		t.Errorf("the first line of a name: got %q, %t", value, found)
	}
	if _, found := (*Fields)(nil).Get("a"); found {
		t.Error("no section has no fields")
	}
}

// The Kelvin sign is a K to Unicode, and not to HTTP.
func TestNamesFoldASCIIAlone(t *testing.T) {
	if EqualNames("\u212aeep", "keep") || !EqualNames("KEEP", "keep") || EqualNames("@", "`") {
		t.Error("names are compared without regard to the case of ASCII letters, and of nothing else")
	}
}
