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

package leader

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/tools/leaderelection"
)

// Terms of the election.
type Terms struct {
	// LeaseDuration is how long the others wait for a leader of which they hear nothing.
	LeaseDuration time.Duration
	// RenewDeadline is how long a leader may act, and tries to renew its lease, since it was renewed last.
	RenewDeadline time.Duration
	// RetryPeriod is between two attempts to renew the lease, or to get it.
	RetryPeriod time.Duration
}

// DefaultTerms let another operator take over within three seconds of one that ends, and within twelve of one that is lost. Proxies
// serve meanwhile; what waits is what changes.
func DefaultTerms() Terms {
	return Terms{LeaseDuration: 10 * time.Second, RenewDeadline: 7 * time.Second, RetryPeriod: time.Second}
}

// Validate names the flags whose values do not go together.
func (t Terms) Validate() error {
	var failures []error
	// A Lease says its duration in whole seconds.
	if t.LeaseDuration < time.Second || t.LeaseDuration%time.Second != 0 {
		failures = append(failures, fmt.Errorf("--leader-elect-lease-duration is %s: it must be in whole seconds, and one at least", t.LeaseDuration))
	}
	if t.LeaseDuration <= t.RenewDeadline {
		failures = append(failures, fmt.Errorf(
			"--leader-elect-lease-duration (%s) must be longer than --leader-elect-renew-deadline (%s)", t.LeaseDuration, t.RenewDeadline))
	}
	if t.RetryPeriod <= 0 {
		failures = append(failures, fmt.Errorf("--leader-elect-retry-period is %s: it must be more than nothing", t.RetryPeriod))
	}
	if longest := time.Duration(leaderelection.JitterFactor * float64(t.RetryPeriod)); t.RenewDeadline <= longest {
		failures = append(failures, fmt.Errorf(
			"--leader-elect-renew-deadline (%s) must be longer than %.1f times --leader-elect-retry-period (%s)",
			t.RenewDeadline, leaderelection.JitterFactor, t.RetryPeriod))
	}
	return errors.Join(failures...)
}
