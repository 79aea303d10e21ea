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

// Package status turns decisions into conditions and is the only writer of status subresources.
//
// GatewayClass, Gateway, ListenerSet and Route are pure: the old object with the facts gives the new status. They follow the
// rules that the Gateway API sets for conditions: those of others are neither removed, changed nor reordered;
// observedGeneration is always the object's generation; lastTransitionTime moves only when the status of a condition
// flips; and a condition that somebody wrote for a newer generation than the one at hand is left alone. What did not
// change is given back as it was, so that Writer can see at a glance that there is nothing to write.
package status
