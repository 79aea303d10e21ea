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
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/internal/pki/store"
	"github.com/rauta-dev/rauta/test/fixture"
)

const (
	patient           = time.Minute
	operatorNamespace = "rauta-system"
	className         = "rauta"
)

func TestMain(m *testing.M) {
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr), zap.UseDevMode(true)))
	code := m.Run()
	if shared.world != nil && shared.world.operator != nil {
		shared.world.operator.cancel()
		if err := <-shared.world.operator.ended; err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if shared.environment != nil {
		if err := shared.environment.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// shared is an API server with the CRDs installed and an operator running, for all tests that need no other.
var shared struct {
	once        sync.Once
	environment *envtest.Environment
	world       *world
	err         error
}

// world is an API server, and what is needed to run operators and stand-ins for proxies against it.
type world struct {
	client.Client
	config *rest.Config
	dialer *dialer
	// operator is the running one.
	operator *runningOperator
}

// start runs an API server that ends with the test binary's process group; the shared one outlives single tests.
func startAPI(crds ...string) (*envtest.Environment, *world, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, nil, fmt.Errorf("KUBEBUILDER_ASSETS is not set: run these tests through `make test`")
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths: crds, ErrorIfCRDPathMissing: true, CRDInstallOptions: envtest.CRDInstallOptions{MaxTime: patient},
		ControlPlaneStartTimeout: patient, ControlPlaneStopTimeout: patient,
	}
	restConfig, err := environment.Start()
	if err != nil {
		return nil, nil, fmt.Errorf("start API server: %w", err)
	}
	restConfig.QPS = -1
	c, err := client.New(restConfig, client.Options{Scheme: Scheme()})
	if err != nil {
		return environment, nil, fmt.Errorf("create client: %w", err)
	}
	w := &world{Client: c, config: restConfig, dialer: &dialer{to: map[string]string{}}}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}}
	return environment, w, c.Create(context.Background(), namespace)
}

func crdDirectories(t *testing.T) []string {
	t.Helper()
	return []string{
		filepath.Join("..", "..", "config", "crd", "bases"),
		filepath.Join(fixture.ModuleDirectory(t, "sigs.k8s.io/gateway-api"), "config", "crd", "standard"),
	}
}

// sharedWorld is the API server that tests share, with the GatewayClass and an operator.
func sharedWorld(t *testing.T) *world {
	t.Helper()
	shared.once.Do(func() {
		shared.environment, shared.world, shared.err = startAPI(crdDirectories(t)...)
		if shared.err != nil {
			return
		}
		shared.err = shared.world.Create(context.Background(), gatewayClass(className, DefaultControllerName))
		shared.world.operator = startOperator(t, shared.world)
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.world
}

func gatewayClass(name, controllerName string) *gatewayv1.GatewayClass {
	return &gatewayv1.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       gatewayv1.GatewayClassSpec{ControllerName: gatewayv1.GatewayController(controllerName)},
	}
}

// runningOperator is an operator as cmd/operator runs it, but for its servers.
type runningOperator struct {
	registry *prometheus.Registry
	cancel   context.CancelFunc
	ended    chan error
	inside   *operator
}

func startOperator(t *testing.T, w *world, change ...func(*manager.Options)) *runningOperator {
	t.Helper()
	registry := prometheus.NewRegistry()
	skip := true
	options := manager.Options{
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		Controller:             config.Controller{SkipNameValidation: &skip},
		Logger:                 ctrl.Log,
	}
	for _, apply := range change {
		apply(&options)
	}
	mgr, inside, err := newManager(rest.CopyConfig(w.config), options, Options{
		ControllerName: DefaultControllerName, ProxyImage: "proxy:test", OperatorNamespace: operatorNamespace,
		OperatorPod: "operator-0", Registerer: registry, DialOptions: []grpc.DialOption{grpc.WithContextDialer(w.dialer.dial), grpc.WithChainStreamInterceptor(w.dialer.divert)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	operator := &runningOperator{registry: registry, cancel: cancel, ended: make(chan error, 1), inside: inside}
	go func() { operator.ended <- mgr.Start(ctx) }()
	return operator
}

func (o *runningOperator) stop(t *testing.T) {
	t.Helper()
	o.cancel()
	if err := <-o.ended; err != nil {
		t.Errorf("the operator ended with %v", err)
	}
}

// statusWrites are the status subresources that the operator wrote, of all kinds.
func (o *runningOperator) statusWrites(t *testing.T) float64 {
	t.Helper()
	return o.counter(t, "rauta_status_writes_total")
}

func (o *runningOperator) counter(t *testing.T, name string) float64 {
	t.Helper()
	families, err := o.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			sum += metric.GetCounter().GetValue()
		}
	}
	return sum
}

// dialer leads the addresses of pods that do not run to the stand-ins for proxies on the loopback interface.
type dialer struct {
	mu sync.Mutex
	to map[string]string
}

func (d *dialer) lead(from, to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to[from] = to
}

func (d *dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	d.mu.Lock()
	to, known := d.to[address]
	d.mu.Unlock()
	if !known {
		return nil, fmt.Errorf("nothing listens at %s", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", to)
}

// tenant makes a namespace for a test.
func (w *world) tenant(t *testing.T) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "tenant-"}}
	if err := w.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// create creates objects, and fails the test where the API server does not take one.
func (w *world) create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := w.Create(t.Context(), object); err != nil {
			t.Fatalf("create %T %s: %v", object, object.GetName(), err)
		}
	}
}

// run stands in for the kubelet and the load balancer: the Gateway's Service gets an address and one ready replica.
func (w *world) run(t *testing.T, gateway *gatewayv1.Gateway) *fixture.Replica {
	t.Helper()
	replica := fixture.NewReplica(t, w.authority(t), gateway.Namespace, gateway.Name)
	w.announce(t, gateway, replica.Address())
	return replica
}

func (w *world) authority(t *testing.T) *pki.Authority {
	t.Helper()
	authority, err := (&store.Store{Client: w.Client, Namespace: operatorNamespace}).Ensure(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// announce gives the Gateway's Service an address, and a ready replica whose admin API is at another.
func (w *world) announce(t *testing.T, gateway *gatewayv1.Gateway, admin string) {
	t.Helper()
	g := NewWithT(t)
	key := types.NamespacedName{Namespace: gateway.Namespace, Name: manifest.Name(gateway.Name, className)}
	service := &corev1.Service{}
	g.Eventually(func() error { return w.Get(t.Context(), key, service) }).WithTimeout(patient).Should(Succeed())
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.10"}}
	g.Expect(w.Status().Update(t.Context(), service)).To(Succeed())

	uid := types.UID("pod-of-" + gateway.Namespace + "-" + gateway.Name)
	address := w.dialer.address()
	w.dialer.lead(net.JoinHostPort(address, "19443"), admin)
	w.create(t, &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: gateway.Namespace, Name: key.Name,
			Labels: map[string]string{discoveryv1.LabelServiceName: key.Name},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  []string{address},
			Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: gateway.Namespace, Name: key.Name, UID: uid},
		}},
	})
}

// address is one for a pod that does not run.
func (d *dialer) address() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprintf("198.51.100.%d", len(d.to)+1)
}
