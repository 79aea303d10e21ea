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

// Package filter is what a rule does with requests and responses beside sending them to a backend: one file for each
// filter. Filters are made from a checked plan, belong to a table, and are used by many goroutines at one time.
//
// # Order
//
// Those of a rule see a request first, in their order, then those of the backend that was chosen. Each sees what the one
// before has left, and may answer in the place of the backend. Responses pass the filters of the backend, and then those
// of the rule. Every answer to a request that a rule took passes the filters of that rule, also one that the proxy makes.
//
// Filters see requests as they go to the backend: without the fields of the client's connection, and with the fields that
// say where they came from.
package filter
