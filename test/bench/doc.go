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

// Command bench measures the proxy beside nginx and HAProxy: the same requests, the same backend, the same load
// generators, one core each, on loopback alone. `make bench-proxy` runs it, and docs/benchmarks.md says how to read it.
//
// All subjects of a scenario run at the same time, idle but for the one that is measured, and take turns in each round,
// so that whatever else the machine does meets all of them. CPU time is what the kernel has charged to the process.
package main
