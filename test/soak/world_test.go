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
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/rauta-dev/rauta/internal/controller"
	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/internal/pki/store"
	"github.com/rauta-dev/rauta/proxy"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/test/fixture"
)

const (
	// patience bounds what has gone wrong; nothing is expected to take it.
	patience          = 2 * time.Minute
	operatorNamespace = "rauta-system"
	className         = "rauta"
	stranger          = "stranger.test/controller"
)

// world is an API server, and the proxies of its Gateways.
type world struct {
	client.WithWatch
	t      *testing.T
	config *rest.Config
	tables *tables
	last   pod
	// running are the proxies.
	running map[*proxy.Proxy]bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run these tests through `make test`")
	}
	environment := &envtest.Environment{ErrorIfCRDPathMissing: true, CRDDirectoryPaths: []string{
		filepath.Join("..", "..", "config", "crd", "bases"),
		filepath.Join(fixture.ModuleDirectory(t, "sigs.k8s.io/gateway-api"), "config", "crd", "standard"),
	}}
	config, err := environment.Start()
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("the API server ends with %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	c, err := client.NewWithWatch(config, client.Options{Scheme: controller.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{WithWatch: c, t: t, config: config, tables: newTables(), running: map[*proxy.Proxy]bool{}}
	t.Cleanup(func() {
		for p := range w.running {
			p.Close()
		}
	})
	for _, name := range []string{operatorNamespace, "red", "blue"} {
		w.mustCreate(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"open": "yes"}}})
	}
	return w
}

func (w *world) mustCreate(object client.Object) {
	w.t.Helper()
	if err := w.Create(w.t.Context(), object); err != nil {
		w.t.Fatalf("create %T %s: %v", object, object.GetName(), err)
	}
}

// serve runs real proxies as a Gateway's replicas, and stands in for kubelet, load balancer and the controller of EndpointSlices.
func (w *world) serve(gateway types.NamespacedName, replicas int) {
	w.t.Helper()
	name := proxyOf(gateway)
	service := &corev1.Service{}
	fixture.Eventually(w.t, "the Service of "+gateway.String()+" is there", func() bool { return w.Get(w.t.Context(), name, service) == nil })
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.10"}}
	if err := w.Status().Update(w.t.Context(), service); err != nil {
		w.t.Fatal(err)
	}
	slice := w.pods(gateway)
	for i := range replicas {
		running := w.proxy(gateway)
		address := w.tables.replica(gateway, running.AdminAddr(), i == 0)
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: name.Namespace, Name: name.Name, UID: types.UID(fmt.Sprint(name, i))},
		})
		w.last = pod{address: address, proxy: running, slice: slice}
	}
	w.mustCreate(slice)
}

// pods is the EndpointSlice of a Gateway's proxies.
func (w *world) pods(gateway types.NamespacedName) *discoveryv1.EndpointSlice {
	name := proxyOf(gateway)
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name, Labels: map[string]string{discoveryv1.LabelServiceName: name.Name}},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
}

// pod is a replica that is not always there.
type pod struct {
	address string
	proxy   *proxy.Proxy
	slice   *discoveryv1.EndpointSlice
}

// present has the last replica of the Gateway that was served last be ready, not ready, or gone.
func (w *world) present(there, ready bool) {
	w.t.Helper()
	before, after := w.last.slice.DeepCopy(), w.last.slice.DeepCopy()
	after.Endpoints[len(after.Endpoints)-1].Conditions.Ready = new(ready)
	if !there {
		after.Endpoints = after.Endpoints[:len(after.Endpoints)-1]
	}
	// What was there before does not matter: the list is replaced.
	before.Endpoints = nil
	if err := w.Patch(w.t.Context(), after, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

// restart kills that replica, and runs another one at its address.
func (w *world) restart(gateway types.NamespacedName) {
	w.t.Helper()
	w.last.proxy.Close()
	delete(w.running, w.last.proxy)
	w.last.proxy = w.proxy(gateway)
	w.tables.move(w.last.address, w.last.proxy.AdminAddr())
}

func (w *world) proxy(gateway types.NamespacedName) *proxy.Proxy {
	w.t.Helper()
	authority := w.authority()
	certificate, key, bundle := fixture.ProxyFiles(w.t, authority, gateway.Namespace, gateway.Name, time.Now())
	directory := w.t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			w.t.Fatal(err)
		}
		return path
	}
	settings := bootstrap.Default()
	settings.Health.Address = "127.0.0.1:0"
	settings.Admin = &bootstrap.Admin{
		Address: "127.0.0.1:0", Identity: pki.ProxyIdentity(gateway.Namespace, gateway.Name), Operator: pki.OperatorIdentity,
		Certificate: file("tls.crt", certificate), Key: file("tls.key", key), CA: file("ca.crt", bundle),
	}
	p, err := proxy.Start(w.t.Context(), proxy.Config{Bootstrap: settings, BindAddress: func(uint16) string { return "127.0.0.1:0" }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.running[p] = true
	return p
}

func (w *world) authority() *pki.Authority {
	w.t.Helper()
	authority, err := (&store.Store{Client: w.WithWatch, Namespace: operatorNamespace}).Ensure(w.t.Context(), time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return authority
}

// dial leads the addresses of pods that do not run to the proxies on the loopback interface.
func (t *tables) dial(ctx context.Context, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	replica := t.replicas[host]
	t.mu.Unlock()
	if replica == nil {
		return nil, fmt.Errorf("nothing listens at %s", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", replica.admin)
}
