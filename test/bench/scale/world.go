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
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/controller"
)

const (
	operatorNamespace = "rauta-system"
	operatorMetrics   = "127.0.0.1:18443"
	operatorProfiles  = "127.0.0.1:18444"
	className         = "rauta"
	// namespace is where the Gateway and its routes are.
	namespace   = "scale"
	gatewayName = "edge"

	// patience is for what takes no part in any figure, such as the start of a process.
	patience = 2 * time.Minute
)

// world is an API server, an operator, and one Gateway with its proxy.
type world struct {
	client.WithWatch
	config   *rest.Config
	options  options
	folder   string
	stopAPI  func() error
	operator *process
	proxy    *process
}

func newWorld(ctx context.Context, o options, name string) (w *world, err error) {
	w = &world{options: o, stopAPI: func() error { return nil }}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close(err))
		}
	}()
	if w.folder, err = os.MkdirTemp("", "rauta-bench-scale-"); err != nil {
		return w, err
	}
	environment := &envtest.Environment{CRDDirectoryPaths: strings.Split(o.crds, ","), ErrorIfCRDPathMissing: true}
	if err := w.logAPI(environment); err != nil {
		return w, err
	}
	if w.config, err = environment.Start(); err != nil {
		return w, fmt.Errorf("start API server: %w", err)
	}
	w.stopAPI = environment.Stop
	w.config.QPS = -1
	if w.WithWatch, err = client.NewWithWatch(w.config, client.Options{Scheme: controller.Scheme()}); err != nil {
		return w, fmt.Errorf("create client: %w", err)
	}
	if err := w.furnish(ctx); err != nil {
		return w, err
	}
	kubeconfig := filepath.Join(w.folder, "kubeconfig")
	if err := os.WriteFile(kubeconfig, environment.KubeConfig, 0o600); err != nil {
		return w, err
	}
	w.operator, err = startProcess(w.folder, "operator", []string{"KUBECONFIG=" + kubeconfig}, o.operator,
		"-proxy-image=proxy:bench", "-operator-namespace="+operatorNamespace, "-health-probe-bind-address=0",
		"-metrics-bind-address="+operatorMetrics, "-metrics-secure=false", "-pprof-bind-address="+operatorProfiles)
	if err != nil {
		return w, err
	}
	progress("  %s: the API server and the operator run; logs are in %s", name, w.folder)
	return w, w.startProxy(ctx)
}

// logAPI has what etcd and the API server say in a file.
func (w *world) logAPI(environment *envtest.Environment) error {
	said, err := os.Create(filepath.Join(w.folder, "apiserver.log"))
	if err != nil {
		return err
	}
	api := environment.ControlPlane.GetAPIServer()
	api.Out, api.Err = said, said
	// There is no route from which it could find out its own address.
	api.Configure().Set("advertise-address", address)
	// The range of a test's API server has room for 254 Services.
	api.Configure().Set("service-cluster-ip-range", "10.200.0.0/16")
	return nil
}

// furnish makes what is there before the operator.
func (w *world) furnish(ctx context.Context) error {
	all := gatewayv1.NamespacesFromAll
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&gatewayv1.GatewayClass{
			ObjectMeta: metav1.ObjectMeta{Name: className},
			Spec:       gatewayv1.GatewayClassSpec{ControllerName: controller.DefaultControllerName},
		},
		&gatewayv1.Gateway{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: gatewayName},
			Spec: gatewayv1.GatewaySpec{
				GatewayClassName: className,
				Listeners:        []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}},
				AllowedListeners: &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: &all}},
			},
		},
	} {
		if err := w.Create(ctx, object); err != nil {
			return fmt.Errorf("create %T %s: %w", object, object.GetName(), err)
		}
	}
	return nil
}

// close ends everything. The logs stay when something went wrong, before or now.
func (w *world) close(before error) error {
	var failures []error
	for _, p := range []*process{w.proxy, w.operator} {
		if p == nil {
			continue
		}
		failures = append(failures, p.gone())
		p.stop()
	}
	failures = append(failures, w.stopAPI())
	err := errors.Join(failures...)
	if err == nil && before == nil {
		err = os.RemoveAll(w.folder)
	}
	return err
}

// poll waits until something is so, which takes no part in any figure.
func (w *world) poll(ctx context.Context, what string, is func() (bool, error)) error {
	deadline := time.Now().Add(patience)
	for {
		done, err := is()
		if err == nil && done {
			return nil
		}
		if err := w.operator.gone(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("waited %v for %s", patience, what), err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// reachable reports whether something listens on a port.
func reachable(port string) bool {
	connection, err := net.DialTimeout("tcp", net.JoinHostPort(address, port), time.Second)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}
