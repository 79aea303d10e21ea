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

// Command scale measures the operator where there is much of everything: thousands of routes on one Gateway, created at
// once, one after another, and changed all the time. `make bench-scale` runs it, and docs/benchmarks.md says how to read it.
//
// The API server, etcd, the operator and the proxy are real processes. Nodes, kubelets and controllers there are none: what
// they would write (the endpoints of the proxy and of the backends, the address of the proxy's Service) this program writes.
package main
