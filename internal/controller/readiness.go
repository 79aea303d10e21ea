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
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// probePatience is how long a probe waits for caches; kubelets give it a second.
const probePatience = 200 * time.Millisecond

// readKinds are what every operator reads, whether it leads or not.
func readKinds() []client.Object {
	return append(provisionedKinds(),
		&gatewayv1.GatewayClass{}, &gatewayv1.Gateway{}, &gatewayv1.HTTPRoute{}, &gatewayv1.ReferenceGrant{}, &v1alpha1.GatewayParameters{},
		&corev1.Namespace{}, &corev1.Service{}, &corev1.Secret{}, &corev1.ConfigMap{}, &discoveryv1.EndpointSlice{},
	)
}

// warm has the cache read everything, in the background, also of an operator that stands by: with thousands of routes it is what takes
// longest when another has to take over. What its controllers would have to do is not collected meanwhile, since that is
// found in a moment from what is read.
func (o *operator) warm(ctx context.Context) error {
	for _, kind := range readKinds() {
		if err := o.expect(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

// expect has the cache read a kind, in the background.
func (o *operator) expect(ctx context.Context, kind client.Object) error {
	if _, err := o.mgr.GetCache().GetInformer(ctx, kind, cache.BlockUntilSynced(false)); err != nil {
		return fmt.Errorf("read %T: %w", kind, err)
	}
	return nil
}

// probe is the operator's readiness: it could lead at once. One that waits for CRDs is ready as well, since nothing is
// wrong with it; a rollout of the operator must not hang on that.
func (o *operator) probe(request *http.Request) error {
	if o.gate.waits.Load() {
		return nil
	}
	if !o.gate.followed.Load() {
		return errors.New("the CRDs have not been looked at yet")
	}
	ctx, cancel := context.WithTimeout(request.Context(), probePatience)
	defer cancel()
	if !o.mgr.GetCache().WaitForCacheSync(ctx) {
		return errors.New("the objects have not all been read yet")
	}
	return nil
}
