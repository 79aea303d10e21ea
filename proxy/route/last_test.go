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

package route

import (
	"regexp"
	"testing"
)

func TestLastElement(t *testing.T) {
	last := func(element string) Match { return Match{Last: true, Path: element} }
	expression := last("G[e]t|Put")
	expression.Pattern = regexp.MustCompile(`\A(?:G[e]t|Put)\z`)
	withHeader := last("Get")
	withHeader.Headers = []Pair{{Name: "x", Value: "1"}}
	table := Build(anyHost, []Route[string]{attached("r", nil,
		rule("get", last("Get")), rule("header", withHeader), rule("service", prefix("/shop.Cart")),
		rule("exact", exact("/shop.Order/Get")), rule("expression", expression), rule("all", prefix("/")))})
	tests := map[string]struct{ reason, path, want string }{
		"any service":                {"the method of whatever service", "/shop.Price/Get", "get"},
		"its service":                {"a service counts more than a method", "/shop.Cart/Get", "service"},
		"both":                       {"service and method count most", "/shop.Order/Get", "exact"},
		"before all":                 {"a method counts more than nothing", "/x/Get", "get"},
		"expression":                 {"an expression for a method counts more than nothing", "/x/Put", "expression"},
		"its service, by expression": {"and less than a service", "/shop.Cart/Put", "service"},
		"expression, three":          {"also there a call has two elements", "/x/y/Put", "all"},
		"other method":               {"elements are compared whole", "/x/Gets", "all"},
		"three":                      {"a call has two elements", "/x/y/Get", "all"},
		"one":                        {"and not one", "/Get", "all"},
		"empty service":              {"nor an empty one", "//Get", "all"},
		"trailing":                   {"a slash at the end makes a third", "/x/Get/", "all"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := lookup(table, 80, at("a.test", test.path)); got != test.want {
				t.Errorf("%s: got %s, want %s", test.reason, got, test.want)
			}
		})
	}
	request := at("a.test", "/x/Get")
	request.Fields = lines{{Name: "X", Value: "1"}}
	if got := lookup(table, 80, request); got != "header" {
		t.Errorf("of two for one method the one with more headers: got %s", got)
	}
}
