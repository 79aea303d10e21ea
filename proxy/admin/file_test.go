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
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

func TestParseResources(t *testing.T) {
	route := &adminv1.Resource{Name: "route/r", Spec: &adminv1.Resource_Route{Route: &adminv1.Route{
		Attachments: []*adminv1.Route_Attachment{{Listener: "listener/http", Hostnames: []string{"a.example.com"}}},
		Rules: []*adminv1.Rule{{Matches: []*adminv1.Match{{
			Path:            &adminv1.PathMatch{Type: adminv1.PathMatchType_PATH_MATCH_TYPE_EXACT, Value: "/x"},
			QueryParameters: []*adminv1.ValueMatch{{Name: "q", Type: adminv1.ValueMatchType_VALUE_MATCH_TYPE_EXACT, Value: "1"}},
		}}}},
		Origin: &adminv1.Origin{Created: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))},
	}}}
	tests := map[string]struct {
		reason string
		text   string
		want   Resources
		err    string
	}{
		"route": {
			reason: "fields are those of the proto, in either spelling of protobuf's JSON mapping",
			text: `
resources:
- name: route/r
  route:
    attachments: [{listener: listener/http, hostnames: [a.example.com]}]
    rules: [{matches: [{path: {type: PATH_MATCH_TYPE_EXACT, value: /x}, queryParameters: [{name: q, type: VALUE_MATCH_TYPE_EXACT, value: "1"}]}]}]
    origin: {created: 2026-01-02T03:04:05Z}`,
			want: Resources{route},
		},
		"empty": {
			reason: "an empty file is an empty table",
			text:   "", want: Resources{},
		},
		"unknown field of a resource": {
			reason: "a misspelt field must not be a field that is not there",
			text:   "resources:\n- name: l\n  listener: {prt: 80}",
			err:    `resources[0] (line 2): unknown field "prt"`,
		},
		"unknown field of the file": {
			reason: "nor one beside the resources",
			text:   "resource: []",
			err:    "field resource not found",
		},
		"wrong type": {
			reason: "a port is a number, and the second resource is the one that is wrong",
			text:   "resources:\n- {name: a}\n- {name: b, listener: {port: many}}",
			err:    `resources[1] (line 3): invalid value for uint32 field port: "many"`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseResources(strings.NewReader(test.text))
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%s: error %v, want one with %q", test.reason, err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			if diff := cmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestReadResourcesNamesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.yaml")
	if err := os.WriteFile(file, []byte("resource: []"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + ".not-there"} {
		if _, err := ReadResources(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v does not name %s", err, name)
		}
	}
}

func TestLoadRefusesANameTwice(t *testing.T) {
	table := NewTable(&applied{}, 1<<20)
	if _, err := table.Load(Resources{{Name: "a"}, {Name: "a"}}); err == nil {
		t.Error("one of the two would be lost without a word")
	}
}
