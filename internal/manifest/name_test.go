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

package manifest

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestName(t *testing.T) {
	cases := map[string]struct {
		reason         string
		gateway, class string
		want           string // empty where only the form matters
	}{
		"plain": {
			reason:  "the name that people expect from GEP-1762",
			gateway: "web", class: "rauta", want: "web-rauta",
		},
		"exactly 63": {
			reason:  "the longest name that a Service may have stays readable",
			gateway: strings.Repeat("a", 57), class: "rauta", want: strings.Repeat("a", 57) + "-rauta",
		},
		"64": {
			reason:  "one more does not fit",
			gateway: strings.Repeat("a", 58), class: "rauta",
		},
		"253": {
			reason:  "the longest name of a Gateway and of a class",
			gateway: strings.Repeat("a", 253), class: strings.Repeat("b", 253),
		},
		"dots": {
			reason:  "a Gateway's name is a DNS subdomain, a Service's a label",
			gateway: "web.example.com", class: "rauta",
		},
		"leading digit": {
			reason:  "a Service's name begins with a letter (RFC 1035)",
			gateway: "9web", class: "rauta",
		},
		"cut at a separator": {
			reason:  "what is kept must not end in a dash before the hash's own",
			gateway: strings.Repeat("a", 51) + ".b" + strings.Repeat("c", 40), class: "rauta",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Name(tc.gateway, tc.class)
			if problems := validation.IsDNS1035Label(got); len(problems) > 0 {
				t.Errorf("%s: Name gives %q: %v", tc.reason, got, problems)
			}
			if tc.want != "" && got != tc.want {
				t.Errorf("%s: Name gives %q, want %q", tc.reason, got, tc.want)
			}
			if strings.Contains(got, "--") {
				t.Errorf("%s: %q has a doubled dash", tc.reason, got)
			}
		})
	}
}

func TestNameTellsLongNamesApart(t *testing.T) {
	long := strings.Repeat("a", 253)
	names := map[string][2]string{}
	for _, pair := range [][2]string{
		{long, "rauta"}, {long[1:], "rauta"}, {long, "other"}, {"a.b", "rauta"}, {"a-b", "rauta"}, {"9a", "rauta"}, {"gw-9a", "rauta"},
	} {
		got := Name(pair[0], pair[1])
		if other, taken := names[got]; taken {
			t.Errorf("%v and %v are both named %q", other, pair, got)
		}
		names[got] = pair
	}
}

func TestLabelValueFits(t *testing.T) {
	for _, name := range []string{"web", "web.example.com", strings.Repeat("a", 63), strings.Repeat("a", 253), strings.Repeat("a.", 126) + "a"} {
		got := LabelValue(name)
		if problems := validation.IsValidLabelValue(got); len(problems) > 0 {
			t.Errorf("LabelValue(%q) is %q: %v", name, got, problems)
		}
		if len(name) <= 63 && got != name {
			t.Errorf("LabelValue(%q) is %q, though the name fits", name, got)
		}
	}
	if LabelValue(strings.Repeat("a", 253)) == LabelValue(strings.Repeat("a", 252)) {
		t.Error("two long names have one label value")
	}
}
