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

package provision_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/manifest"
)

// config reaches the API server that all tests of this package share.
var config *rest.Config

func TestMain(m *testing.M) {
	os.Exit(withAPIServer(m))
}

func withAPIServer(m *testing.M) int {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		fmt.Fprintln(os.Stderr, "KUBEBUILDER_ASSETS is not set: these tests need etcd and kube-apiserver; run `make test`, which builds them")
		return 1
	}
	environment := &envtest.Environment{ControlPlaneStartTimeout: 2 * time.Minute, ControlPlaneStopTimeout: 2 * time.Minute}
	var err error
	config, err = environment.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the API server:", err)
		return 1
	}
	code := m.Run()
	if err := environment.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the API server:", err)
		return 1
	}
	return code
}

// requests counts what is sent to write.
type requests struct{ applies, deletes atomic.Int32 }

func (r *requests) total() int { return int(r.applies.Load() + r.deletes.Load()) }

// cluster is a namespace of its own on the shared API server.
type cluster struct {
	t         *testing.T
	client    client.Client
	namespace string
	sent      *requests
}

var namespaces atomic.Int32

func newCluster(t *testing.T) *cluster {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	direct, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	sent := &requests{}
	c := &cluster{
		t:         t,
		namespace: "shop-" + strconv.Itoa(int(namespaces.Add(1))),
		sent:      sent,
		client: interceptor.NewClient(direct, interceptor.Funcs{
			Apply: func(ctx context.Context, next client.WithWatch, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
				sent.applies.Add(1)
				return next.Apply(ctx, object, options...)
			},
			Delete: func(ctx context.Context, next client.WithWatch, object client.Object, options ...client.DeleteOption) error {
				sent.deletes.Add(1)
				return next.Delete(ctx, object, options...)
			},
		}),
	}
	c.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}})
	return c
}

func (c *cluster) create(object client.Object) {
	c.t.Helper()
	if err := c.client.Create(c.t.Context(), object); err != nil {
		c.t.Fatal(err)
	}
}

// get reads an object of the test's namespace into object.
func (c *cluster) get(name string, object client.Object) error {
	return c.client.Get(c.t.Context(), types.NamespacedName{Namespace: c.namespace, Name: name}, object)
}

func (c *cluster) mustGet(name string, object client.Object) {
	c.t.Helper()
	if err := c.get(name, object); err != nil {
		c.t.Fatal(err)
	}
}

// versions gives each object's resource version.
func (c *cluster) versions(objects []*unstructured.Unstructured) map[string]string {
	c.t.Helper()
	versions := make(map[string]string, len(objects))
	for _, object := range objects {
		live := &unstructured.Unstructured{}
		live.SetGroupVersionKind(object.GroupVersionKind())
		c.mustGet(object.GetName(), live)
		versions[object.GetKind()] = live.GetResourceVersion()
	}
	return versions
}

// gateway is a Gateway as the controller hands it over; provision never reads it from the cluster.
func (c *cluster) gateway(name string) *gatewayv1.Gateway {
	return &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{
		Namespace: c.namespace,
		Name:      name,
		UID:       types.UID(c.namespace + "-" + name),
	}}
}

// input renders a Gateway with one listener.
func input(gateway *gatewayv1.Gateway) manifest.Input {
	return manifest.Input{
		Gateway:           gateway,
		ClassName:         "rauta",
		Image:             "rauta.dev/rauta-proxy:test",
		Ports:             []manifest.ListenerPort{{Name: "http", Port: 80}},
		OperatorNamespace: "rauta-system",
		OperatorPodLabels: map[string]string{"control-plane": "controller-manager"},
	}
}

// render gives the objects and the identity Secret that the controller applies with them.
func render(t *testing.T, in manifest.Input) []*unstructured.Unstructured {
	t.Helper()
	out, err := manifest.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Secret",
		"type":       "kubernetes.io/tls",
		"data":       map[string]any{"tls.crt": "", "tls.key": "", "ca.crt": ""},
	}}
	secret.SetNamespace(in.Gateway.Namespace)
	secret.SetName(out.Name)
	secret.SetLabels(manifest.Labels(in.Gateway.Name, in.ClassName))
	secret.SetOwnerReferences([]metav1.OwnerReference{manifest.OwnerReference(in.Gateway)})
	return append(out.Objects, secret)
}

func ownerReference(gateway *gatewayv1.Gateway) metav1.OwnerReference {
	return manifest.OwnerReference(gateway)
}
