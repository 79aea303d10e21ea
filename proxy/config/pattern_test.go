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

package config

import (
	"strings"
	"testing"
)

func TestWholePattern(t *testing.T) {
	tests := []struct {
		expression, takes, leaves, reason string
	}{
		{"/v[0-9]+", "/v12", "/v12/x", "the whole string is taken, not a part of it"},
		{"a|b", "b", "ab", "the ends hold for every branch"},
		{"(?i)/api", "/API", "/ap", "flags stand within the expression"},
		{"(?m)a$", "a", "a\nb", "lines are not strings"},
		{`\Qa.b`, "a.b", "axb", "an open quotation ends with the expression"},
		{"", "", "a", "nothing takes nothing"},
	}
	for _, test := range tests {
		pattern, err := wholePattern(test.expression)
		if err != nil {
			t.Errorf("%q: %v", test.expression, err)
			continue
		}
		if !pattern.MatchString(test.takes) || pattern.MatchString(test.leaves) {
			t.Errorf("%q should take %q and not %q: %s", test.expression, test.takes, test.leaves, test.reason)
		}
	}
}

func TestWrongPatterns(t *testing.T) {
	for expression, want := range map[string]string{
		"a)(b":                               "unexpected )",
		"[":                                  "missing closing ]",
		`(a)\1`:                              "invalid escape sequence", // RE2 has no references back.
		"(?=a)":                              "invalid or unsupported Perl syntax",
		"(a{1000}){1000}":                    "invalid repeat count",
		strings.Repeat("a{1000}", 20):        "instructions",
		strings.Repeat("a", 1+maxExpression): "bytes",
	} {
		if _, err := wholePattern(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %q", expression, err, want)
		}
	}
}

func TestPatternsOfARoute(t *testing.T) {
	snapshot := &Snapshot{
		Listeners: []*Listener{{Name: "l", Port: 80, Protocol: ProtocolHTTP}},
		Routes: []*Route{{Name: "r", Attachments: []Attachment{{Listener: "l"}}, Rules: []Rule{{Matches: []Match{
			{PathType: PathRegex, Path: "/v[0-9]+", Headers: []ValueMatch{{Name: "X", Type: ValueRegex, Value: "a+"}}},
			{PathType: PathRegex, Path: "("},
			{PathType: PathExact, Path: "/", Query: []ValueMatch{{Name: "q", Type: ValueRegex, Value: "["}}},
		}}}}},
	}
	plan, errs := Compile(snapshot)
	if len(errs) != 2 || !strings.Contains(errs[0].Message, "rules[0].matches[1].path.value") ||
		!strings.Contains(errs[1].Message, "rules[0].matches[2].query_parameters[0].value") {
		t.Errorf("got %v, want one error for each expression that is none", errs)
	}
	rule := plan.Routes[0].Rules[0]
	if !rule.Broken || len(rule.Matches) != 1 {
		t.Fatalf("a rule that is partly understood answers 500: got %+v", rule)
	}
	match := rule.Matches[0]
	if match.PathPattern == nil || match.Headers[0].Pattern == nil || !match.PathPattern.MatchString("/v1") {
		t.Errorf("the expressions should be compiled: got %+v", match)
	}
}
