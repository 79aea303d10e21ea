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

package controller

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// What fails is tried again after firstRetry, then twice as late each time, and at last every longestRetry. controller-runtime would wait for
// up to seventeen minutes: so long would a Gateway be left as it is after a webhook, or a quota, has stopped to stand in the way.
const (
	firstRetry   = 5 * time.Millisecond
	longestRetry = time.Minute
)

// atATime are the options of a controller that looks at so many objects at a time.
func atATime(objects int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: objects,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, longestRetry),
	}
}
