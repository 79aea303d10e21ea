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

// Package topology decides what attaches to what in one Gateway, and why not: it holds the semantics of the Gateway API
// and nothing of how they are served.
//
// Build reads a Gateway with everything that it depends on and gives its listeners and routes together with the
// decisions that become conditions. It is a pure function: no client, clock or logger, it never changes its input (the
// objects come from a shared cache), and equal input in any order gives an equal result.
//
// What this implementation does not support yet is never served as if it were absent. A listener of another protocol
// than HTTP and HTTPS is refused (UnsupportedProtocol), and so is one whose TLS asks for what is not there (UnsupportedValue). A rule that uses an unsupported feature is dropped: it stays in the table
// without backends, so that the requests that it was written for get an error and do not fall through to a broader
// rule; the route says so in PartiallyInvalid, or in Accepted=False when no rule is left.
package topology
