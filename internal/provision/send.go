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

package provision

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// sends is how often an object is sent whose status, and no more, is written meanwhile.
const sends = 4

// send applies an object, and gives the API server's answer.
//
// The API server refuses if the object is not the existing one any more, so that what somebody else created under the name meanwhile is
// not taken over; nor if that has changed: a request that was held up on its way, while another operator took over, undoes nothing. But
// a Deployment's status is written many times while it rolls out, and that is no reason to leave it as it is: the request is sent
// again, as a new one that every fence before the API server sees.
func (a *Applier) send(ctx context.Context, object *unstructured.Unstructured, existing client.Object) (*unstructured.Unstructured, error) {
	if existing == nil {
		return a.sendOnce(ctx, object)
	}
	version, err := a.handOverReplicas(ctx, object, existing)
	if err != nil {
		return nil, err
	}
	for sent := 1; ; sent++ {
		versioned := object.DeepCopy()
		versioned.SetUID(existing.GetUID())
		versioned.SetResourceVersion(version)
		applied, err := a.sendOnce(ctx, versioned)
		if sent == sends || !apierrors.IsConflict(err) {
			return applied, err
		}
		live, liveErr := a.live(ctx, object.GroupVersionKind(), client.ObjectKeyFromObject(object))
		if liveErr != nil || !sameButStatus(existing, live) {
			return nil, err
		}
		version = live.ResourceVersion
	}
}

func (a *Applier) sendOnce(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	applied := object.DeepCopy() // the answer is written into it
	err := a.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner(FieldManager), client.ForceOwnership)
	if err != nil {
		return nil, refused(object, err)
	}
	return applied, nil
}

// sameButStatus reports whether an object is still as it was read, but for its status and what is no field of ours. The generation tells
// of each change of a spec; of objects without one nothing is known.
func sameButStatus(read client.Object, live *metav1.PartialObjectMetadata) bool {
	if live == nil || live.UID != read.GetUID() || live.Generation == 0 || live.Generation != read.GetGeneration() {
		return false
	}
	before, known := ownedFields(read)
	now, still := ownedFields(live)
	return known && still && before == now
}
