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

// Package listen owns the sockets that clients reach: one per port, however many listeners share it. A port that stays
// keeps its socket and its connections whatever else changes; a port that goes is closed, and its connections finish
// what they have begun. TLS ends here: SNI chooses the certificate, ALPN the codec that serves the connection, and each
// listener has session ticket keys of its own, which rotate. Handshakes that clients do not go on with are bounded in number
// and in memory.
package listen
