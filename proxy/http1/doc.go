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

// Package http1 speaks HTTP/1.1 on both sides of the proxy. Behind this seam it uses net/http; what it takes and gives
// are the heads of package message, and no type of net/http leaves it.
//
// What net/http would do on its own account is switched off: no compression is asked for or undone, no proxy is taken
// from the environment, no redirect is followed, no content type is guessed, no user agent is named.
package http1
