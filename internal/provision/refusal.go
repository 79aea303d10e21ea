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
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// CollisionError says that an object of a wanted name exists and is not controlled by the Gateway. It is never adopted.
type CollisionError struct {
	Kind, Namespace, Name string
}

// Error names the object in the way and what to do about it.
func (e *CollisionError) Error() string {
	return fmt.Sprintf("%s %s/%s exists and does not belong to this Gateway; delete or rename it", e.Kind, e.Namespace, e.Name)
}

// RejectedError says that the API server, or an admission check behind it, refused the content of an object. It
// comes of a patch or a parameter that Kubernetes does not accept, and repeating it does not help.
type RejectedError struct {
	Kind, Namespace, Name string
	// Err is the API server's answer.
	Err error
}

// Error names the object and quotes the API server.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("%s %s/%s was rejected: %v", e.Kind, e.Namespace, e.Name, e.Err)
}

// Unwrap gives the API server's answer.
func (e *RejectedError) Unwrap() error { return e.Err }

// refused tells a refusal of the content from a failure that may pass.
func refused(object client.Object, err error) error {
	kind := object.GetObjectKind().GroupVersionKind().Kind
	if isReplaced(err) {
		// What took its place is looked at by the next Apply.
		group := schema.GroupResource{Group: object.GetObjectKind().GroupVersionKind().Group, Resource: kind}
		err = apierrors.NewConflict(group, object.GetName(), errors.New("it has been replaced by another object of the same name"))
	}
	ofContent := apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) ||
		apierrors.IsRequestEntityTooLargeError(err)
	if ofContent {
		return &RejectedError{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName(), Err: err}
	}
	return fmt.Errorf("applying %s %s/%s: %w", kind, object.GetNamespace(), object.GetName(), err)
}

// isReplaced reports whether the API server refused because the object is not the one whose UID was sent. Of an object that is
// gone it says so with a conflict, of one that has another UID with an invalid metadata.uid.
func isReplaced(err error) bool {
	var status *apierrors.StatusError
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.ErrStatus.Details == nil {
		return false
	}
	return slices.ContainsFunc(status.ErrStatus.Details.Causes, func(cause metav1.StatusCause) bool {
		return cause.Field == "metadata.uid"
	})
}
