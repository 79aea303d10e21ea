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

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/test/cluster"
)

const (
	// patience bounds every wait for something that takes a cluster seconds; it decides nothing else.
	patience = 4 * time.Minute
	interval = 200 * time.Millisecond
)

// world is what faults are done to.
type world struct {
	*cluster.Connection
	out       io.Writer
	random    *rand.Rand
	place     string // the cluster's name, by which its processes are known
	ledger    *ledger
	authority *authority // of listeners
	sealing   *authority // of backends, whose TLS is passed through
	images    []string   // of the proxy: the one that the operator begins with, and the next
	tenants   []*tenant
	gateways  []*gateway
	baseline  cluster.Inventory
	logs      *logs
	load      *load // once it has begun
}

// build makes two tenants, of which the first has two Gateways.
func (w *world) build(ctx context.Context, image string) error {
	one, two := &tenant{"chaos-one", image}, &tenant{"chaos-two", image}
	w.tenants = []*tenant{one, two}
	w.gateways = []*gateway{{tenant: one, name: "web"}, {tenant: one, name: "shop"}, {tenant: two, name: "web"}}
	if err := w.clear(ctx); err != nil {
		return err
	}
	for _, t := range w.tenants {
		listeners, err := w.certificate(t, certificate, w.authority, host)
		if err != nil {
			return err
		}
		backends, err := w.certificate(t, sealed, w.sealing, through, heldThrough)
		if err != nil {
			return err
		}
		if err := w.create(ctx, append([]client.Object{t.object(), listeners, backends}, t.objects()...)...); err != nil {
			return err
		}
	}
	for _, g := range w.gateways {
		if err := w.create(ctx, g.objects()...); err != nil {
			return err
		}
	}
	for _, g := range w.gateways {
		if err := w.until(ctx, g.String()+" is programmed", func(ctx context.Context) error { return w.address(ctx, g) }); err != nil {
			return err
		}
	}
	return nil
}

// certificate is a Secret with a new certificate for hosts.
func (w *world) certificate(t *tenant, name string, from *authority, hosts ...string) (*corev1.Secret, error) {
	certificatePEM, keyPEM, _, err := from.issue(hosts...)
	return &corev1.Secret{
		ObjectMeta: t.meta(name), Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: certificatePEM, corev1.TLSPrivateKeyKey: keyPEM},
	}, err
}

// clear removes what an earlier run may have left.
func (w *world) clear(ctx context.Context) error {
	for _, t := range w.tenants {
		if err := client.IgnoreNotFound(w.Client.Delete(ctx, t.object())); err != nil {
			return fmt.Errorf("delete namespace %s: %w", t.namespace, err)
		}
	}
	return w.until(ctx, "what was there before is gone", func(ctx context.Context) error {
		for _, t := range w.tenants {
			err := w.Client.Get(ctx, client.ObjectKey{Name: t.namespace}, &corev1.Namespace{})
			if !apierrors.IsNotFound(err) {
				return errors.Join(err, fmt.Errorf("namespace %s is still there", t.namespace))
			}
		}
		return nil
	})
}

func (w *world) create(ctx context.Context, objects ...client.Object) error {
	for _, object := range objects {
		if err := w.Client.Create(ctx, object); err != nil {
			return fmt.Errorf("create %T %s: %w", object, client.ObjectKeyFromObject(object), err)
		}
	}
	return nil
}

// address notes where the Gateway is reached.
func (w *world) address(ctx context.Context, g *gateway) error {
	object := &gatewayv1.Gateway{}
	if err := w.Client.Get(ctx, g.key(), object); err != nil {
		return err
	}
	if !meta.IsStatusConditionTrue(object.Status.Conditions, string(gatewayv1.GatewayConditionProgrammed)) || len(object.Status.Addresses) == 0 {
		return fmt.Errorf("its conditions are %v", object.Status.Conditions)
	}
	address, err := netip.ParseAddr(object.Status.Addresses[0].Value)
	if err != nil {
		return err
	}
	g.subject = &subject{name: g.String(), address: address, roots: w.authority.roots(), sealed: w.sealing.roots()}
	return nil
}

// until waits for something to hold.
func (w *world) until(ctx context.Context, what string, holds func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for {
		attempt, end := context.WithTimeout(ctx, 10*time.Second)
		err := holds(attempt)
		end()
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		if !wait(ctx, interval) {
			return fmt.Errorf("waited in vain until %s: %w", what, last)
		}
	}
}

// change patches an object as it is now. It is tried again while the API server does not answer.
func change[T client.Object](ctx context.Context, w *world, key client.ObjectKey, object T, edit func(T)) error {
	return w.until(ctx, fmt.Sprintf("%T %s is changed", object, key), func(ctx context.Context) error {
		if err := w.Client.Get(ctx, key, object); err != nil {
			return err
		}
		before, _ := object.DeepCopyObject().(T)
		edit(object)
		return w.Client.Patch(ctx, object, client.MergeFrom(before))
	})
}
