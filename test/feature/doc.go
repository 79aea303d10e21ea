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

// Package feature holds no code: its tests put Kubernetes objects in at one end of the house and send requests through
// a real proxy at the other, in one process. What lies between — topology, translate, push, the admin channel with its
// certificates, the data plane — is the real thing; only the API server and the pods are not there.
package feature
