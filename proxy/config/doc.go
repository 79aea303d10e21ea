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

// Package config is the runtime model of a table: what the admin API and the resource file are decoded into, and what
// the engine builds from. It is plain data, imports the standard library alone, and opens nothing.
//
// Compile checks a Snapshot and gives a Plan of what of it can serve, with an Error for everything that cannot. The
// smallest part that is bad is quarantined, and nothing around it:
//
//	what is bad                                      code               what happens
//	a listener's port, protocol or hostname          invalid/unsup.     it is not opened
//	a listener with port and hostname of another     invalid            the first by name serves
//	an attachment to a listener that is not there    missing reference  the other attachments serve
//	a certificate                                    invalid            listeners do without it
//	a listener where TLS ends without a usable
//	certificate                                      any                it is not opened
//	a listener whose protocol does not go with that
//	of another on its port, or with its trusted
//	peers                                            invalid            the first by name decides
//	a network of trusted peers                       invalid            the listener is not opened
//	an attachment to a listener for other routes     invalid            the other attachments serve
//	settings beside others                           invalid            the first by name serve
//	a limit of the settings, trusted hops            invalid            that of the bootstrap holds, nobody is trusted
//	a regular expression                             invalid            its match takes no request, its rule answers 500
//	a hostname of an attachment                      invalid            the other hostnames serve
//	a match                                          invalid/unsup.     it takes no request, and its rule answers 500
//	a rule: filters, timeouts, retry                 invalid/unsup.     it answers 500
//	a mirror's backend is not in the table           missing reference  nothing is mirrored to it
//	a filter of a backendRef                         invalid/unsup.     its share answers 500
//	a backendRef whose backend is not in the table   missing reference  its share answers 500
//	a backend of another protocol than its route     invalid            its share answers 500, or relays nothing
//	a stream route: weights, filters                 invalid/unsup.     it relays nothing
//	a backend's TLS, or its certificate is not usable any               its shares answer 500
//	a backend, or its endpoints are not in the table any                its shares answer 500
//	one endpoint's address or port                   invalid            it is left out, the others serve
//	a kind of resource that is not known             unsupported        it is held, and serves nothing
package config
