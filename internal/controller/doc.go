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

// Package controller is the operator's edge: it watches the API server, loads what a Gateway depends on and runs the
// rooms in their order.
//
// The unit of work is the Gateway. Whatever changes — a route, a Service, a grant, a namespace, parameters, an object
// that was made for a Gateway, the state of a proxy replica — is mapped through indexes to the Gateways that it affects,
// and each of those is reconciled as a whole: load, decide, render, apply, push, report. Two things go their own way:
// GatewayClasses, which have a reconciler of their own, and EndpointSlices, which change far more often than anything
// else and therefore update the endpoints of a backend, or the sessions to a proxy's replicas, and nothing more.
package controller
