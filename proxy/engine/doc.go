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

// Package engine owns the table that serves. It builds the next one beside it, opens the sockets that it needs, swaps
// one atomic pointer, and then retires the sockets and connections that are no longer used:
//
//	compile -> open new ports -> build the table -> swap -> accept on new ports -> close old ports -> retire endpoints
//
// In this order no request meets a table that does not know its port: new ports are bound before the swap, so that
// clients wait in the kernel's queue, and old ports are closed after it.
package engine
