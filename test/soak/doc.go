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

// Package soak holds no code: its tests have an operator, an API server and proxies, all real and in one process, live through
// changes of every kind of object without a pause, and look at each event of each status. What holds of one status at rest has to hold
// of all of them always: messages that are bounded, conditions of a known generation, entries of others that stay as they are, writes
// that say something, and Programmed only for what a proxy's table has.
package soak
