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

package status

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

func TestAcceptedBy(t *testing.T) {
	const accepted = `{"f:status":{"f:conditions":{"k:{\"type\":\"Accepted\"}":{".":{},"f:message":{},"f:reason":{}}}}}`
	entry := func(manager, subresource, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Subresource: subresource, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	cases := map[string]struct {
		reason string
		entry  metav1.ManagedFieldsEntry
		want   bool
	}{
		"Ours":       {reason: "whose words they are is noted", entry: entry("example.com/controller", "status", accepted), want: true},
		"Other":      {reason: "a ListenerSet may be for another controller", entry: entry("example.com/other", "status", accepted)},
		"OtherField": {reason: "another has overwritten what we said since", entry: entry("example.com/controller", "status", `{"f:status":{"f:conditions":{"k:{\"type\":\"Accepted\"}":{".":{},"f:status":{}}}}}`)},
		"Main":       {reason: "a manager of the same name that wrote the object has said nothing of its status", entry: entry("example.com/controller", "", accepted)},
		"Damaged":    {reason: "what cannot be read says nothing", entry: entry("example.com/controller", "status", `[]`)},
		"Nothing":    {reason: "there may be no fields", entry: metav1.ManagedFieldsEntry{Manager: "example.com/controller", Subresource: "status"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := &metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{entry("kubectl", "", "{}"), tc.entry}}
			if got := AcceptedBy(object, "example.com/controller"); got != tc.want {
				t.Errorf("%s: got %v", tc.reason, got)
			}
		})
	}
}

// The API server refuses each write as somebody with a longer name.
func TestFieldOwnerIsBounded(t *testing.T) {
	long := "example.com/" + strings.Repeat("a", 200)
	first, second := fieldOwner(gatewayv1.GatewayController(long+"1")), fieldOwner(gatewayv1.GatewayController(long+"2"))
	if len(first) != maxFieldOwner || len(second) != maxFieldOwner || first == second {
		t.Errorf("got %s and %s", first, second)
	}
	if exact := fieldOwner("example.com/a"); exact != "example.com/a" {
		t.Errorf("got %s", exact)
	}
}
