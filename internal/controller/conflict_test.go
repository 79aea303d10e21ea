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

package controller

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestConflictsAlone(t *testing.T) {
	resource := schema.GroupResource{Resource: "gateways"}
	conflict, forbidden := apierrors.NewConflict(resource, "web", errors.New("newer")), apierrors.NewForbidden(resource, "web", errors.New("quota"))
	cases := map[string]struct {
		reason string
		err    error
		want   bool
	}{
		"None":          {"there is nothing to wait for", nil, false},
		"One":           {"the newer object is about to come", fmt.Errorf("write: %w", conflict), true},
		"Several":       {"so are these", errors.Join(conflict, fmt.Errorf("write: %w", errors.Join(conflict))), true},
		"Another":       {"it will not go away by itself", forbidden, false},
		"OneAndAnother": {"a conflict does not hide what has to be mended", errors.Join(conflict, forbidden), false},
		"Within":        {"wherever that is", fmt.Errorf("all: %w", errors.Join(conflict, fmt.Errorf("write: %w", forbidden))), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := conflictsAlone(tc.err); got != tc.want {
				t.Errorf("%s: got %t for %v", tc.reason, got, tc.err)
			}
		})
	}
}
