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
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// service is what the balancer reads of a Service (core/v1).
type service struct {
	Metadata struct {
		Name              string `json:"name"`
		Namespace         string `json:"namespace"`
		ResourceVersion   string `json:"resourceVersion"`
		DeletionTimestamp string `json:"deletionTimestamp"`
	} `json:"metadata"`
	Spec struct {
		Type              string  `json:"type"`
		LoadBalancerIP    string  `json:"loadBalancerIP"`
		LoadBalancerClass *string `json:"loadBalancerClass"`
	} `json:"spec"`
	Status struct {
		LoadBalancer struct {
			Ingress []ingress `json:"ingress"`
		} `json:"loadBalancer"`
	} `json:"status"`
}

type ingress struct {
	IP string `json:"ip,omitempty"`
}

func (s service) key() string { return s.Metadata.Namespace + "/" + s.Metadata.Name }

// wanted: a Service with a class is some other implementation's (Service.spec.loadBalancerClass).
func (s service) wanted() bool {
	return s.Spec.Type == "LoadBalancer" && s.Spec.LoadBalancerClass == nil && s.Metadata.DeletionTimestamp == ""
}

// given returns the address that the Service's status holds.
func (s service) given() (netip.Addr, bool) {
	if len(s.Status.LoadBalancer.Ingress) == 0 {
		return netip.Addr{}, false
	}
	address, err := netip.ParseAddr(s.Status.LoadBalancer.Ingress[0].IP)
	return address, err == nil
}

// serviceAPI is what the balancer needs of the API server; see apiClient for what the methods do.
type serviceAPI interface {
	do(ctx context.Context, method, path, contentType string, body, out any) error
	open(ctx context.Context, method, path, contentType string, body any) (io.ReadCloser, error)
}

// balancer gives addresses to Services of type LoadBalancer by writing them to their status; kube-proxy's rules take it
// from there: it treats what is in status.loadBalancer.ingress as the Service's own addresses.
type balancer struct {
	api     serviceAPI
	pool    *pool
	waiting map[string]bool // Services that asked for an address that cannot be had now
}

// runLoadBalancer runs until it is killed.
func runLoadBalancer([]string) error {
	p, err := herePlace()
	if err != nil {
		return err
	}
	api, err := newAPIClient(p, "loadbalancer")
	if err != nil {
		return err
	}
	b := &balancer{api: api, pool: newPool(balancerRange, balancerStatic), waiting: map[string]bool{}}
	for {
		if err := b.follow(context.Background()); err != nil {
			fmt.Println(err)
			time.Sleep(time.Second)
		}
	}
}

const servicesPath = "/api/v1/services"

// follow lists all Services, and then watches them until the server ends the watch, as it does every few minutes.
func (b *balancer) follow(ctx context.Context) error {
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []service `json:"items"`
	}
	if err := b.api.do(ctx, http.MethodGet, servicesPath, "", nil, &list); err != nil {
		return fmt.Errorf("listing Services: %w", err)
	}
	if err := b.reconcileAll(ctx, list.Items); err != nil {
		return err
	}
	watch, err := b.api.open(ctx, http.MethodGet, servicesPath+"?watch=1&resourceVersion="+list.Metadata.ResourceVersion, "", nil)
	if err != nil {
		return fmt.Errorf("watching Services: %w", err)
	}
	defer func() { _ = watch.Close() }()
	return b.consume(ctx, json.NewDecoder(watch))
}

// reconcileAll first takes note of all addresses that are given, so that none is given twice.
func (b *balancer) reconcileAll(ctx context.Context, all []service) error {
	present := map[string]bool{}
	for _, one := range all {
		present[one.key()] = one.wanted()
		if address, ok := one.given(); ok && one.wanted() && b.pool.usable(address) {
			_ = b.pool.claim(one.key(), address) // a second holder of an address gets another one below
		}
	}
	b.pool.keep(present)
	for _, one := range all {
		if err := b.reconcile(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// consume handles the events of a watch.
func (b *balancer) consume(ctx context.Context, events *json.Decoder) error {
	for {
		var event struct {
			Type   string  `json:"type"`
			Object service `json:"object"`
		}
		if err := events.Decode(&event); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading the watch of Services: %w", err)
		}
		switch event.Type {
		case "ADDED", "MODIFIED":
			if err := b.reconcile(ctx, event.Object); err != nil {
				return err
			}
		case "DELETED":
			if b.forget(event.Object.key()) {
				return nil // list again: somebody waits for an address
			}
		default: // ERROR, such as an expired resource version: list again
			return nil
		}
	}
}

// forget frees a Service's addresses. It says whether another Service waits for one.
func (b *balancer) forget(key string) bool {
	b.pool.release(key)
	delete(b.waiting, key)
	return len(b.waiting) > 0
}

// reconcile makes the status of one Service say what it should.
func (b *balancer) reconcile(ctx context.Context, one service) error {
	given, has := one.given()
	if !one.wanted() {
		b.forget(one.key())
		if has && one.Spec.Type != "LoadBalancer" && one.Metadata.DeletionTimestamp == "" {
			return b.write(ctx, one, nil)
		}
		return nil
	}
	address, err := b.choose(one, given, has)
	if err != nil {
		b.waiting[one.key()] = true
		fmt.Printf("Service %s gets no address: %v\n", one.key(), err)
		if has {
			return b.write(ctx, one, nil)
		}
		return nil
	}
	delete(b.waiting, one.key())
	if has && given == address {
		return nil
	}
	fmt.Printf("Service %s gets %s\n", one.key(), address)
	return b.write(ctx, one, []ingress{{IP: address.String()}})
}

// choose returns the address that a Service asks for, else the one it has, else a free one.
func (b *balancer) choose(one service, given netip.Addr, has bool) (netip.Addr, error) {
	if asked := one.Spec.LoadBalancerIP; asked != "" {
		address, err := netip.ParseAddr(asked)
		if err != nil {
			return netip.Addr{}, fmt.Errorf("spec.loadBalancerIP: %w", err)
		}
		if !has || given != address {
			b.pool.release(one.key())
		}
		return address, b.pool.claim(one.key(), address)
	}
	if has && b.pool.claim(one.key(), given) == nil {
		return given, nil
	}
	// The status that we have just written may not have come back yet.
	if held := b.held(one.key()); held.IsValid() {
		return held, nil
	}
	return b.pool.next(one.key())
}

func (b *balancer) held(key string) netip.Addr {
	var all []netip.Addr
	for address, owner := range b.pool.owner {
		if owner == key {
			all = append(all, address)
		}
	}
	if len(all) == 0 {
		return netip.Addr{}
	}
	return slices.MinFunc(all, netip.Addr.Compare)
}

// write replaces the addresses in a Service's status.
func (b *balancer) write(ctx context.Context, one service, addresses []ingress) error {
	path := "/api/v1/namespaces/" + one.Metadata.Namespace + "/services/" + one.Metadata.Name + "/status"
	body := map[string]any{"status": map[string]any{"loadBalancer": map[string]any{"ingress": addresses}}}
	err := b.api.do(ctx, http.MethodPatch, path, "application/merge-patch+json", body, nil)
	var answer *apiError
	if errors.As(err, &answer) && answer.status == http.StatusNotFound {
		return nil // deleted meanwhile; the event follows
	}
	if err != nil {
		return fmt.Errorf("writing the status of Service %s: %w", one.key(), err)
	}
	return nil
}
