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
	"cmp"
	"strings"
)

// precedence orders candidates of the same path, the one to try first before. HTTPRouteRule.matches: "Proxy or Load
// Balancer routing configuration generated from HTTPRoutes MUST prioritize matches based on the following criteria,
// continuing on ties."
func precedence[T any](a, b candidate[T]) int {
	return cmp.Or(
		// "Method match."
		cmp.Compare(specific(b.method), specific(a.method)),
		// "Largest number of header matches."
		cmp.Compare(len(b.headers), len(a.headers)),
		// "Largest number of query param matches."
		cmp.Compare(len(b.query), len(a.query)),
		// "The oldest Route based on creation timestamp."
		a.route.Created.Compare(b.route.Created),
		// "The Route appearing first in alphabetical order by "{namespace}/{name}"."
		strings.Compare(a.route.Namespace+"/"+a.route.Name, b.route.Namespace+"/"+b.route.Name),
		// "the FIRST matching rule (in list order) with a match meeting the above criteria"
		cmp.Compare(a.rule, b.rule),
		cmp.Compare(a.match, b.match),
	)
}

func specific(method string) int {
	if method == "" {
		return 0
	}
	return 1
}
