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

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// conflictsAlone reports whether nothing but conflicts stands in the way: somebody else wrote in between, and the newer objects are about to
// reach the cache. That is no failure. What else is among several errors is one, and is not to be passed over.
func conflictsAlone(err error) bool {
	if several, joined := err.(interface{ Unwrap() []error }); joined {
		for _, one := range several.Unwrap() {
			if !conflictsAlone(one) {
				return false
			}
		}
		return true
	}
	if wrapped := errors.Unwrap(err); wrapped != nil {
		return conflictsAlone(wrapped)
	}
	return apierrors.IsConflict(err)
}
