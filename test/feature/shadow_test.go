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

package feature

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Whom a shadowed route names is who answers.
func TestShadowedRouteNamesWhoAnswers(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.service(namespace, "first", backend(t, "first"))
	h.service(namespace, "second", backend(t, "second"))
	older, younger := route("z", nil, rule(prefix("/x/"), to("first", 1))), route("a", nil, rule(prefix("/x"), to("second", 1)))
	older.CreationTimestamp, younger.CreationTimestamp = metav1.NewTime(time.Unix(1, 0)), metav1.NewTime(time.Unix(2, 0))
	h.attach(older, younger)

	shadowed := h.settle().Routes[0].Parents[0].Shadowed
	if got := h.get(80, "a.test", "/x/y"); got.body != "first" || shadowed == nil || !strings.Contains(shadowed.Message, "HTTPRoute shop/z") {
		t.Errorf("%q answers, and the other route is told %v", got.body, shadowed)
	}
	younger.Spec.Rules[0].Matches = exact("/x/y")
	shadowed = h.settle().Routes[0].Parents[0].Shadowed
	if got := h.get(80, "a.test", "/x/y"); got.body != "second" || shadowed != nil {
		t.Errorf("%q answers for a match of its own, and the route is told %v", got.body, shadowed)
	}
}
