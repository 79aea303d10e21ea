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

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// churn changes a route and the endpoints of a Service in turn, on a Gateway that has many of both.
func churn(ctx context.Context, w *world, r *results) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen, err := w.furnishRoutes(ctx)
	if err != nil {
		return err
	}
	c := &changes{w: w, seen: seen}
	if err := c.each(ctx); err != nil {
		return err
	}
	// What building took is given back meanwhile.
	if err := pause(ctx, 15*time.Second); err != nil {
		return err
	}
	floor, err := w.floor(ctx, seen)
	if err != nil {
		return err
	}
	floor.report(r, "floor")
	return c.measure(ctx, r)
}

// measure has things change, and measures what that takes and leaves behind.
func (c *changes) measure(ctx context.Context, r *results) error {
	w := c.w
	before, err := w.held(ctx)
	if err != nil {
		return err
	}
	m, err := w.begin(ctx)
	if err != nil {
		return err
	}
	profiled := make(chan error, 1)
	go func() {
		profiled <- w.profile(ctx, r.test+"-cpu", fmt.Sprintf("profile?seconds=%d", int(w.options.sizes.churn.Seconds())-1))
	}()
	early, err := c.run(ctx)
	if err != nil {
		return err
	}
	last, err := w.operator.usage()
	if err != nil {
		return err
	}
	c.lags.report(r, "accepted")
	r.add("changes", float64(c.made), "changes")
	if err := m.report(ctx, r, true); err != nil {
		return err
	}
	r.mib("operator_memory_growth", last.resident-early.resident)
	after, err := w.held(ctx)
	if err != nil {
		return err
	}
	r.mib("operator_heap_growth", after-before)
	return <-profiled
}

// furnishRoutes makes the Services and routes, and waits until they are accepted.
func (w *world) furnishRoutes(ctx context.Context) (*observer, error) {
	sizes := w.options.sizes
	err := many(ctx, sizes.services, func(ctx context.Context, i int) error {
		return w.createService(ctx, serviceName(i), endpointIP(i, 0), 8080)
	})
	if err != nil {
		return nil, err
	}
	seen, err := w.observe(ctx)
	if err != nil {
		return nil, err
	}
	err = many(ctx, sizes.churnRoutes, func(ctx context.Context, i int) error {
		return w.Create(ctx, churnRoute(i, serviceName(i%sizes.services)))
	})
	if err != nil {
		return nil, err
	}
	return seen, seen.await(ctx, w, "all routes to be accepted", allAccepted(sizes.churnRoutes))
}

// churnRoute is a route as a change leaves it behind: what grows while routes change is not the routes.
func churnRoute(i int, service string) *gatewayv1.HTTPRoute {
	route := httpRoute(i, parentGateway, service)
	exact, path := gatewayv1.PathMatchExact, fmt.Sprintf("/changes-%d", i)
	rule := &route.Spec.Rules[0]
	rule.Matches = append(rule.Matches, gatewayv1.HTTPRouteMatch{Path: &gatewayv1.HTTPPathMatch{Type: &exact, Value: &path}})
	return route
}

// changes are those of a churn.
type changes struct {
	w    *world
	seen *observer
	made int
	lags lags
}

// lags are how long changes took to be seen accepted: from when they were sent, and from when the API server had answered.
type lags struct{ sent, answered []time.Duration }

func (l *lags) add(sent, answered, accepted time.Time) {
	l.sent, l.answered = append(l.sent, accepted.Sub(sent)), append(l.answered, accepted.Sub(answered))
}

func (l *lags) report(r *results, metric string) {
	r.lags(metric, l.sent)
	r.lags(metric+"_after_answer", l.answered)
}

// run changes something at each tick, and gives the operator's usage after a third of the time.
func (c *changes) run(ctx context.Context) (early usage, err error) {
	sizes := c.w.options.sizes
	ticks := time.NewTicker(sizes.interval)
	defer ticks.Stop()
	began := time.Now()
	for time.Since(began) < sizes.churn {
		select {
		case <-ctx.Done():
			return early, context.Cause(ctx)
		case <-ticks.C:
		}
		if err := c.next(ctx); err != nil {
			return early, err
		}
		if early.cpu == 0 && time.Since(began) > sizes.churn/3 {
			if early, err = c.w.operator.usage(); err != nil {
				return early, err
			}
		}
	}
	return early, nil
}

// each changes every route once: what is held of a route that has changed lies elsewhere, and is of other sizes, than what is held of one
// that came with thousands of others. What grows afterwards goes on growing.
func (c *changes) each(ctx context.Context) error {
	routes := c.w.options.sizes.churnRoutes
	wanted := make([]int64, routes)
	err := many(ctx, routes, func(ctx context.Context, i int) error {
		route, err := c.patch(ctx, i, i)
		wanted[i] = route.Generation
		return err
	})
	if err != nil {
		return err
	}
	return c.seen.await(ctx, c.w, "all changed routes to be accepted", func(o *observer) bool {
		for i, generation := range wanted {
			if o.accepted[routeName(i)].generation < generation {
				return false
			}
		}
		return true
	})
}

// next changes a route and waits until it is accepted, or the endpoints of a Service.
func (c *changes) next(ctx context.Context) error {
	c.made++
	round := c.made / 2
	if c.made%2 == 0 {
		return c.endpoints(ctx, round*7%c.w.options.sizes.services, round)
	}
	return c.route(ctx, round*13%c.w.options.sizes.churnRoutes, c.w.options.sizes.churnRoutes+c.made)
}

// route changes a route and notes the time until it was accepted.
func (c *changes) route(ctx context.Context, i, version int) error {
	began := time.Now()
	route, err := c.patch(ctx, i, version)
	if err != nil {
		return err
	}
	answered := time.Now()
	err = c.seen.await(ctx, c.w, "a changed route to be accepted", func(o *observer) bool {
		return o.accepted[route.Name].generation >= route.Generation
	})
	if err != nil {
		return err
	}
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	c.lags.add(began, answered, c.seen.accepted[route.Name].at)
	return nil
}

// patch changes a route, and gives what identifies it then.
func (c *changes) patch(ctx context.Context, i, version int) (*metav1.PartialObjectMetadata, error) {
	route := namedRoute(routeName(i))
	patch := fmt.Sprintf(`{"spec":{"rules":[{"matches":[{"path":{"type":"PathPrefix","value":"/path-%d"}},`+
		`{"path":{"type":"Exact","value":"/changed-%d"}}],"backendRefs":[{"name":%q,"port":80}]}]}}`,
		i, version, serviceName(i%c.w.options.sizes.services))
	if err := c.w.Patch(ctx, route, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		return route, fmt.Errorf("change %s: %w", route.Name, err)
	}
	return route, nil
}

// namedRoute is a route to be changed. The API server answers with its metadata alone: reading all of it would take from those who are
// measured at the same time.
func namedRoute(name string) *metav1.PartialObjectMetadata {
	route := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	route.SetGroupVersionKind(schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: gatewayv1.GroupVersion.Version, Kind: "HTTPRoute"})
	return route
}

func (c *changes) endpoints(ctx context.Context, i, version int) error {
	slice := &discoveryv1.EndpointSlice{}
	slice.Namespace, slice.Name = namespace, serviceName(i)+"-pods"
	patch := fmt.Sprintf(`{"endpoints":[{"addresses":[%q],"conditions":{"ready":true}}]}`, endpointIP(i, version))
	if err := c.w.Patch(ctx, slice, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		return fmt.Errorf("change endpoints of %s: %w", serviceName(i), err)
	}
	return nil
}
