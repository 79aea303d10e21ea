//go:build linux

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
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// listenerSets makes ListenerSets of one listener each, and many routes on them.
func listenerSets(ctx context.Context, w *world, r *results) error {
	if err := w.createService(ctx, serviceName(0), endpointIP(0, 0), 8080); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen, err := w.observe(ctx)
	if err != nil {
		return err
	}
	m, err := w.begin(ctx)
	if err != nil {
		return err
	}
	sizes := w.options.sizes
	began := time.Now()
	err = many(ctx, sizes.sets, func(ctx context.Context, i int) error { return w.Create(ctx, listenerSet(i)) })
	if err != nil {
		return err
	}
	r.seconds("creation_sets", time.Since(began))
	began = time.Now()
	group, kind := gatewayv1.Group(gatewayv1.GroupName), gatewayv1.Kind("ListenerSet")
	err = many(ctx, sizes.setRoutes, func(ctx context.Context, i int) error {
		set := i % sizes.sets
		parent := gatewayv1.ParentReference{Group: &group, Kind: &kind, Name: gatewayv1.ObjectName(setName(set))}
		return w.Create(ctx, hostRoute(i, parent, setHost(set), serviceName(0)))
	})
	if err != nil {
		return err
	}
	created := time.Now()
	r.seconds("creation_routes", created.Sub(began))
	if err := w.settled(ctx, r, seen, sizes.setRoutes, created); err != nil {
		return err
	}
	return m.report(ctx, r, false)
}

func setName(i int) string { return fmt.Sprintf("set-%04d", i) }

func setHost(i int) string { return fmt.Sprintf("set-%d.example.com", i) }

func listenerSet(i int) *gatewayv1.ListenerSet {
	hostname := gatewayv1.Hostname(setHost(i))
	return &gatewayv1.ListenerSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: setName(i)},
		Spec: gatewayv1.ListenerSetSpec{
			ParentRef: gatewayv1.ParentGatewayReference{Name: gatewayName},
			Listeners: []gatewayv1.ListenerEntry{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType, Hostname: &hostname}},
		},
	}
}
