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

// Package provision writes what manifest rendered: server-side apply with one field manager, pruning of what
// is no longer wanted, and refusal to touch what belongs to somebody else.
//
// # When nothing is written
//
// A Gateway is reconciled far more often than its objects change. Apply therefore remembers, for each object, a hash of
// what it applied and of the fields that the API server then said were owned by this field manager. Whoever changes or
// removes one of these fields takes it out of that list, so as long as the list (metadata.managedFields, in the
// cache anyway) and the wanted object are the same, nothing of ours has changed, and no request is sent. Fields that others added are
// theirs. After a restart each object is applied once more, which the API server answers without writing. A cache whose
// transform drops managedFields makes every Apply send its requests.
package provision
