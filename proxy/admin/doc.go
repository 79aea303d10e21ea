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

// Package admin is the proxy's end of the admin API (api/admin/v1): it authenticates the operator, keeps the resources
// that it was given, decodes them into the runtime model, has each committed table applied, and acknowledges it.
//
// A client is the operator when its certificate was issued by the CA in the proxy's files and names the operator's
// identity; everybody else is refused in the TLS handshake. Certificate, key and CA are read again when the files
// change: new handshakes use the new ones, and sessions that are open go on.
package admin
