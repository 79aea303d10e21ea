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

// Package manifest turns a Gateway and its GatewayParameters into the Kubernetes objects of its proxy. It is pure: equal
// input gives equal output, and nothing is read from a cluster.
//
// The objects begin as the kustomize base in config/proxy, which describes a proxy with nothing decided. Render lays three
// things over it, each of which may overrule what came before: a generated overlay (names, labels, and what the
// typed fields of GatewayParameters say), the class's patches, and the Gateway's patches. Then it holds what no patch may
// change (see verify.go), and adds what follows from the result: owner references and the bootstrap's hash.
package manifest
