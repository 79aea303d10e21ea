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

package soak

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// changer has objects come, change and go, in an order that depends on its seed alone.
type changer struct {
	*maker
	*world
	watch *watcher
	// choices are what may happen, each as often as it stands there.
	choices []func()
	// log are the last changes, and done counts them by kind.
	log  []string
	done map[string]int
	// revisions are the last of the stranger's entries.
	revisions map[key]int
}

func newChanger(m *maker, w *world, watch *watcher) *changer {
	c := &changer{maker: m, world: w, watch: watch, done: map[string]int{}, revisions: map[key]int{}}
	pool := func(times, names int, make func(namespace, name string) client.Object, prefix string) {
		for range times {
			c.choices = append(c.choices, func() { c.turn(make(c.tenant(), fmt.Sprint(prefix, c.IntN(names)))) })
		}
	}
	pool(20, 10, m.httpRoute, "r-")
	pool(8, 5, m.grpcRoute, "r-")
	pool(6, 3, m.tlsRoute, "r-")
	pool(6, 3, m.tcpRoute, "r-")
	pool(6, 3, m.udpRoute, "r-")
	pool(10, 5, m.service, "s-")
	pool(12, 5, m.slice, "s-")
	pool(5, 2, m.grant, "open-")
	pool(6, 3, m.set, "set-")
	pool(5, 3, m.policy, "p-")
	pool(4, 2, m.secret, "tls-")
	pool(3, 2, m.authorities, "ca-")
	c.choices = append(c.choices,
		func() { c.put(c.gateway("red", "web")) }, func() { c.put(c.gateway("red", "web")) }, func() { c.turn(c.fleeting()) },
		func() { c.put(c.gateway("blue", "edge")) }, func() { c.turn(c.fleeting()) },
		func() { c.put(c.namespace(c.tenant())) },
		c.breakSecret, c.replica, c.stir, c.stir, c.stir,
	)
	return c
}

// fleeting is a Gateway that comes and goes, and changes its class.
func (c *changer) fleeting() client.Object {
	gateway := c.gateway("blue", "fleeting").(*gatewayv1.Gateway)
	if c.oneIn(4) {
		gateway.Spec.GatewayClassName = "other"
	}
	return gateway
}

// happen lets one thing happen.
func (c *changer) happen() {
	c.t.Helper()
	c.choices[c.IntN(len(c.choices))]()
}

// turn makes an object another one, or has it come or go.
func (c *changer) turn(object client.Object) {
	c.t.Helper()
	if c.watch.known(keyOf(object)) && c.oneIn(4) {
		c.remove(object)
		return
	}
	c.put(object)
}

func (c *changer) note(what string, object client.Object) {
	k := keyOf(object)
	c.done[k.kind]++
	c.log = append(c.log, fmt.Sprintf("%s %s %s", what, k.kind, k.NamespacedName))
	c.log = c.log[max(0, len(c.log)-30):]
}

func (c *changer) put(object client.Object) {
	c.t.Helper()
	before := c.watch.change(keyOf(object), object)
	sent := object.DeepCopyObject().(client.Object)
	if before == nil {
		c.note("create", object)
		if err := c.Create(c.t.Context(), sent); err != nil {
			c.t.Fatalf("create %T %s: %v", object, client.ObjectKeyFromObject(object), err)
		}
		c.estrange(sent)
		return
	}
	c.note("change", object)
	if err := c.Patch(c.t.Context(), sent, client.MergeFrom(before)); err != nil {
		c.t.Fatalf("change %T %s: %v", object, client.ObjectKeyFromObject(object), err)
	}
}

func (c *changer) remove(object client.Object) {
	c.t.Helper()
	c.watch.change(keyOf(object), nil)
	c.note("delete", object)
	if err := c.Delete(c.t.Context(), object.DeepCopyObject().(client.Object)); err != nil {
		c.t.Fatalf("delete %T %s: %v", object, client.ObjectKeyFromObject(object), err)
	}
	if gateway, is := object.(*gatewayv1.Gateway); is {
		c.collect(gateway)
	}
}

// collect stands in for the garbage collector.
func (c *changer) collect(gateway *gatewayv1.Gateway) {
	c.t.Helper()
	name := proxyOf(client.ObjectKeyFromObject(gateway))
	at := meta(name.Namespace, name.Name)
	for _, owned := range []client.Object{
		&corev1.Service{ObjectMeta: at}, &corev1.Service{ObjectMeta: meta(name.Namespace, name.Name+"-peers")}, &corev1.ConfigMap{ObjectMeta: at},
		&corev1.ServiceAccount{ObjectMeta: at}, &corev1.Secret{ObjectMeta: at}, &appsv1.Deployment{ObjectMeta: at},
		&policyv1.PodDisruptionBudget{ObjectMeta: at}, &networkingv1.NetworkPolicy{ObjectMeta: at},
	} {
		if err := client.IgnoreNotFound(c.Delete(c.t.Context(), owned)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// breakSecret leaves a Secret without a key that fits.
func (c *changer) breakSecret() {
	c.t.Helper()
	object := c.secret(c.tenant(), fmt.Sprint("tls-", c.IntN(2))).(*corev1.Secret)
	object.Data[corev1.TLSPrivateKeyKey] = []byte("nonsense")
	c.put(object)
}

var web = types.NamespacedName{Namespace: "red", Name: "web"}

// replica has one of a Gateway's replicas come, go, or be another one.
func (c *changer) replica() {
	c.t.Helper()
	c.watch.concern(key{"Gateway", web})
	c.done["replica"]++
	if c.oneIn(3) {
		c.restart(web)
		return
	}
	c.present(!c.oneIn(3), !c.oneIn(3))
}

// estrange gives a route or policy that has just come an entry of another controller.
func (c *changer) estrange(object client.Object) {
	c.t.Helper()
	switch object.(type) {
	case *gatewayv1.HTTPRoute, *gatewayv1.GRPCRoute, *gatewayv1.TLSRoute, *gatewayv1.TCPRoute, *gatewayv1.UDPRoute, *gatewayv1.BackendTLSPolicy:
		c.revisions[keyOf(object)] = 0
		c.revise(object)
	}
}

// stir has the other controller change its entry of something.
func (c *changer) stir() {
	c.t.Helper()
	object := c.watch.any(c.maker)
	if object == nil {
		return
	}
	c.note("stir", object)
	c.revise(object)
}

// revise writes the next revision of the stranger's entry.
func (c *changer) revise(object client.Object) {
	c.t.Helper()
	k := keyOf(object)
	c.revisions[k]++
	current := object.DeepCopyObject().(client.Object)
	err := retry.OnError(retry.DefaultBackoff, apierrors.IsConflict, func() error {
		if err := c.Get(c.t.Context(), k.NamespacedName, current); err != nil {
			return err
		}
		setStrangers(current, c.revisions[k])
		return c.Status().Update(c.t.Context(), current)
	})
	if apierrors.IsConflict(err) {
		// The operator was faster each time: an earlier revision stays.
		c.revisions[k]--
		return
	}
	if err != nil {
		c.t.Fatalf("write the other controller's entry of %v: %v", k, err)
	}
}

func (c *changer) recent() string { return strings.Join(c.log, ", ") }

// settle mends what a fresh operator could not know: the certificates that a broken Secret had before. All replicas are there.
func (c *changer) settle(t *testing.T) {
	t.Helper()
	for _, namespace := range []string{"red", "blue"} {
		for _, name := range []string{"tls-0", "tls-1"} {
			c.put(c.secret(namespace, name))
		}
	}
	c.watch.concern(key{"Gateway", web})
	c.present(true, true)
}
