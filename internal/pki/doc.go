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

// Package pki keeps the identities of the admin channel: the operator's certificate authority, and the short-lived
// certificates of the operator and of each Gateway's proxies that it signs.
//
// Everything in this package is a function of its arguments, the time among them, and of randomness; the Secret that
// keeps the authority is read and written by the package pki/store.
//
// # The life of an authority
//
// A CA certificate lives for a year, and its phases follow from the time alone:
//
//	0      1/2          2/3                    1
//	|-------|------------|---------------------|
//	 active  next joins   next becomes active,  the old one leaves
//	         the bundle   the old one only      the bundle
//	                      verifies
//
// Between 1/2 and 2/3 every proxy has had the next CA in its bundle for weeks, so nobody meets a certificate whose CA it
// does not know. The hard case is an operator that was away across the whole overlap: the next CA then joins late, and
// signs only after it has been in the bundle for an hour, unless the active one has expired and nothing that it signs
// would be believed.
//
// # Identities
//
// An identity is a URI in the subject alternative name, and a certificate carries exactly one. Host names are not
// looked at: replicas are dialled by address, and what matters is whose proxy answers.
package pki
