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

// Package translate renders a topology as the resources of the admin API, which is also the representation of routes
// inside the operator: there is no other in between.
//
// It is pure: equal input gives equal bytes in any order of its parts, nothing that comes in is changed, and everything
// that goes out is sorted by name and carries its hash. Only what a served listener needs is rendered.
package translate
