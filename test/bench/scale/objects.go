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
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// creators is how many requests to create objects are under way at a time.
const creators = 8

// many does something for the numbers below n, several at a time, until one fails.
func many(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	numbers := make(chan int)
	var running sync.WaitGroup
	for range creators {
		running.Go(func() {
			for i := range numbers {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		numbers <- i
	}
	close(numbers)
	running.Wait()
	return context.Cause(ctx)
}

func routeName(i int) string { return fmt.Sprintf("route-%05d", i) }

func serviceName(i int) string { return fmt.Sprintf("service-%04d", i) }

// parentGateway refers to the Gateway.
var parentGateway = gatewayv1.ParentReference{Name: gatewayName}

// httpRoute has a host that it shares with nine others, a path of its own and one backend.
func httpRoute(i int, parent gatewayv1.ParentReference, service string) *gatewayv1.HTTPRoute {
	return hostRoute(i, parent, fmt.Sprintf("host-%d.example.com", i/10), service)
}

func hostRoute(i int, parent gatewayv1.ParentReference, host, service string) *gatewayv1.HTTPRoute {
	prefix, path := gatewayv1.PathMatchPathPrefix, fmt.Sprintf("/path-%d", i)
	port := gatewayv1.PortNumber(80)
	return &gatewayv1.HTTPRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: routeName(i)},
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{parent}},
			Hostnames:       []gatewayv1.Hostname{gatewayv1.Hostname(host)},
			Rules: []gatewayv1.HTTPRouteRule{{
				Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: &prefix, Value: &path}}},
				BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
					BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(service), Port: &port},
				}}},
			}},
		},
	}
}

// createService makes a Service with one endpoint.
func (w *world) createService(ctx context.Context, name, ip string, port int32) error {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{
			Name: "http", Port: 80, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP,
		}}},
	}
	return errors.Join(w.Create(ctx, service), w.Create(ctx, endpointSlice(name, ip, port, true)))
}

// endpointIP is an address that nobody has; the version makes it another one.
func endpointIP(i, version int) string {
	return fmt.Sprintf("10.100.%d.%d", i/250+4*(version%60), i%250+1)
}
