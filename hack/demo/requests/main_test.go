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

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	shares := []share{{"v1", 90}, {"v2", 10}}
	cases := map[string]struct {
		reason string
		got    outcome
		want   bool
	}{
		"as weighted": {"what the demo is to show", outcome{backends: map[string]int{"v1": 88, "v2": 12}}, true},
		"one backend": {"a backend that gets nothing means that weights do not work", outcome{backends: map[string]int{"v1": 100}}, false},
		"even":        {"answers alone are not enough: the weights must be visible", outcome{backends: map[string]int{"v1": 50, "v2": 50}}, false},
		"stranger":    {"an answer of another tenant's backend is a leak", outcome{backends: map[string]int{"v1": 89, "v2": 10, "v3": 1}}, false},
		"failure":     {"a single failed request fails the demo", outcome{backends: map[string]int{"v1": 90, "v2": 9}, failures: map[string]int{"status 500": 1}}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			if got := report(&text, tc.got, shares, 100); got != tc.want {
				t.Errorf("%s: report said %t\n%s", tc.reason, got, &text)
			}
		})
	}
}

func TestAskerReadsTheBackend(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "shop.example" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"pod": "checkout-v2-5d8f7c9b4-x7k2p"}`)
	}))
	defer server.Close()
	ask := asker{url: server.URL, host: "shop.example", client: server.Client()}
	got, err := ask.once()
	if err != nil || got != "checkout-v2" {
		t.Errorf("once() = %q, %v; want the Deployment of the pod that answered", got, err)
	}
	ask.host = "other.example"
	if _, err := ask.once(); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("error %v, want the status in it", err)
	}
}
