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

// Command chaos breaks a cluster on which RAUTA runs, one thing after the other and in an order that a seed gives, under
// load, and counts and explains every request that failed. It is run by `make test-chaos` inside the local cluster's network;
// docs/chaos.md says what is broken, what is expected, and what came of it.
package main
