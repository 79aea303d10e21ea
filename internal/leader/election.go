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
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// LeaseName is the lease's, in the operator's namespace.
const LeaseName = "operator.rauta.dev"

// Election is one operator's part in the election.
type Election struct {
	Fence *Fence
	notes *notes
}

// Elect prepares a manager's options for an election on the given terms: what the manager's client writes then goes through a
// Fence. Where the options ask for no election there is none, and the Fence is nil.
func Elect(config *rest.Config, options *manager.Options, terms Terms, registerer prometheus.Registerer) (*Election, error) {
	if !options.LeaderElection {
		return &Election{}, nil
	}
	fence, err := NewFence(terms, registerer, time.Now)
	if err != nil {
		return nil, err
	}
	e := &Election{Fence: fence, notes: &notes{}}
	lease, err := e.lease(config, options.LeaderElectionNamespace)
	if err != nil {
		return nil, err
	}
	options.LeaderElectionID, options.LeaderElectionResourceLockInterface = LeaseName, fence.Lock(lease)
	options.LeaseDuration, options.RenewDeadline, options.RetryPeriod = &terms.LeaseDuration, &terms.RenewDeadline, &terms.RetryPeriod
	options.LeaderElectionReleaseOnCancel = true
	options.NewClient = func(config *rest.Config, options client.Options) (client.Client, error) {
		options.HTTPClient = nil // it is made of config, without the Fence
		return client.New(fence.Config(config), options)
	}
	return e, nil
}

// lease is the lock that operators of one namespace compete for.
func (e *Election) lease(config *rest.Config, namespace string) (resourcelock.Interface, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name this operator for the election: %w", err)
	}
	// A request that hangs must leave time for another before the deadline. The config's owner goes without: a watch that is timed is cut.
	config = rest.AddUserAgent(rest.CopyConfig(config), "leader-election")
	config.Timeout = max(e.Fence.terms.RenewDeadline/2, time.Second)
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("create client of the election: %w", err)
	}
	return resourcelock.New(resourcelock.LeasesResourceLock, namespace, LeaseName, clients.CoreV1(), clients.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID()), EventRecorder: e.notes})
}

// Join adds to the manager what ends it when another operator has overtaken this one: the elector itself would go on trying for
// the whole of the renew deadline.
func (e *Election) Join(mgr manager.Manager) error {
	if e.Fence == nil {
		return nil
	}
	e.notes.recorder = mgr.GetEventRecorder("rauta")
	if err := mgr.Add(manager.RunnableFunc(e.Fence.watch)); err != nil {
		return fmt.Errorf("add the watch of the lease: %w", err)
	}
	return nil
}

// watch waits until another operator holds the lease that this one held.
func (f *Fence) watch(ctx context.Context) error {
	select {
	case <-f.lost:
		return errors.New("another operator has taken the lease: it was not renewed in time")
	case <-ctx.Done():
		return nil
	}
}

// notes makes Events of what the elector says.
type notes struct{ recorder events.EventRecorder }

// Eventf notes on the Lease who began to lead, or stopped.
func (n *notes) Eventf(lease runtime.Object, _, reason, format string, args ...any) {
	n.recorder.Eventf(lease, nil, corev1.EventTypeNormal, reason, "Lead", format, args...)
}
