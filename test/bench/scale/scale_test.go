//go:build linux

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
	"slices"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		reason string
		count  int
		part   float64
		want   time.Duration
	}{
		{"nothing was measured", 0, 0.5, 0},
		{"one value is every quantile", 1, 0.99, 1},
		{"the middle of an odd number", 3, 0.5, 2},
		{"of an even number the lower one: half do not exceed it", 4, 0.5, 2},
		{"of a hundred the second longest", 100, 0.99, 99},
		{"the longest", 100, 1, 100},
	} {
		var sorted []time.Duration
		for i := range c.count {
			sorted = append(sorted, time.Duration(i+1))
		}
		if got := quantile(sorted, c.part); got != c.want {
			t.Errorf("%s: quantile(%d values, %v) is %d, want %d", c.reason, c.count, c.part, got, c.want)
		}
	}
}

func TestSum(t *testing.T) {
	text := []byte(`# HELP writes some
writes{kind="a",code="200"} 3
writes{kind="a",code="409"} 5
writes{kind="b",code="200"} 1e+02
writes_total{kind="a",code="200"} 7
plain 2
`)
	for _, c := range []struct {
		reason, name string
		labels       []string
		want         float64
	}{
		{"without labels all series count, and no other metric whose name begins so", "writes", nil, 108},
		{"all labels have to be there", "writes", []string{`kind="a"`, `code="200"`}, 3},
		{"a series without labels", "plain", nil, 2},
		{"a metric that is not there", "lost", nil, 0},
	} {
		if got := sum(text, c.name, c.labels...); got != c.want {
			t.Errorf("%s: got %v, want %v", c.reason, got, c.want)
		}
	}
}

func TestSelected(t *testing.T) {
	for _, c := range []struct {
		reason, names string
		want          []string
		fails         bool
	}{
		{"nothing chosen is everything", "", []string{"attached-1000", "attached-5000", "propagation", "churn", "listenersets"}, false},
		{"the order is that of the tests", "churn,attached-1000", []string{"attached-1000", "churn"}, false},
		{"make passes lists with spaces", "churn propagation", []string{"propagation", "churn"}, false},
		{"a wrong name would measure nothing", "chrun", nil, true},
	} {
		found, err := selected(c.names)
		var names []string
		for _, f := range found {
			names = append(names, f.name)
		}
		if (err != nil) != c.fails || !c.fails && !slices.Equal(names, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.reason, names, err, c.want)
		}
	}
}
