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
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// maxFieldOwner is what the API server takes as the name of a field's manager; names of controllers may be longer.
const maxFieldOwner = 128

// fieldOwner is as whom a controller's statuses are written. With its name, that of another installation of this operator, which has another
// name, is another's.
func fieldOwner(controllerName gatewayv1.GatewayController) client.FieldOwner {
	if len(controllerName) <= maxFieldOwner {
		return client.FieldOwner(controllerName)
	}
	sum := sha256.Sum256([]byte(controllerName))
	suffix := "-" + hex.EncodeToString(sum[:8])
	return client.FieldOwner(controllerName[:maxFieldOwner-len(suffix)]) + client.FieldOwner(suffix)
}

// AcceptedBy reports whether it was this controller who said last what is told of an object's Accepted condition, by what the API server
// notes of who wrote which field. It is for statuses that do not name their controller, as a ListenerSet's.
func AcceptedBy(object metav1.Object, controllerName gatewayv1.GatewayController) bool {
	owner := string(fieldOwner(controllerName))
	return slices.ContainsFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == owner && entry.Subresource == "status" && entry.FieldsV1 != nil && ownsAccepted(entry.FieldsV1.GetRawBytes())
	})
}

// ownsAccepted reports whether the message of the Accepted condition is among some fields. No other writes just that one.
func ownsAccepted(fields []byte) bool {
	var owned struct {
		Status struct {
			Conditions map[string]map[string]any `json:"f:conditions"`
		} `json:"f:status"`
	}
	if json.Unmarshal(fields, &owned) != nil {
		return false
	}
	_, owns := owned.Status.Conditions[`k:{"type":"Accepted"}`]["f:message"]
	return owns
}
