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
	"net/http"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
)

// proxyName is that of all objects of the Gateway's proxy.
const proxyName = gatewayName + "-" + className

// startProxy does what a load balancer, an endpoints controller and a kubelet would do with what the operator made for
// the Gateway, and waits until the Gateway is programmed.
func (w *world) startProxy(ctx context.Context) error {
	service := &corev1.Service{}
	key := types.NamespacedName{Namespace: namespace, Name: proxyName}
	err := w.poll(ctx, "the proxy's Service", func() (bool, error) {
		err := w.Get(ctx, key, service)
		return err == nil, client.IgnoreNotFound(err)
	})
	if err != nil {
		return err
	}
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
	if err := w.Status().Update(ctx, service); err != nil {
		return fmt.Errorf("give the proxy's Service an address: %w", err)
	}
	file, config, err := w.mount(ctx, key)
	if err != nil {
		return err
	}
	if w.proxy, err = startProcess(w.folder, "proxy", nil, w.options.proxy, "-bootstrap", file); err != nil {
		return err
	}
	_, adminPort, _ := strings.Cut(config.Admin.Address, ":")
	if err := w.poll(ctx, "the proxy", func() (bool, error) { return reachable(adminPort), w.proxy.gone() }); err != nil {
		return err
	}
	slice := endpointSlice(proxyName, address, 80, false)
	if err := w.Create(ctx, slice); err != nil {
		return fmt.Errorf("create the proxy's endpoints: %w", err)
	}
	// It becomes ready by being given its table.
	err = w.poll(ctx, "the proxy to be ready", func() (bool, error) {
		_, err := get(ctx, http.DefaultClient, "http://"+address+config.Health.Address+"/readyz")
		return err == nil, err
	})
	if err != nil {
		return err
	}
	ready := true
	slice.Endpoints[0].Conditions.Ready = &ready
	if err := w.Update(ctx, slice); err != nil {
		return fmt.Errorf("say that the proxy is ready: %w", err)
	}
	return w.poll(ctx, "the Gateway to be programmed", func() (bool, error) {
		gateway := &gatewayv1.Gateway{}
		err := w.Get(ctx, types.NamespacedName{Namespace: namespace, Name: gatewayName}, gateway)
		return conditionTrue(gateway.Status.Conditions, string(gatewayv1.GatewayConditionProgrammed)), err
	})
}

// mount writes the proxy's ConfigMap and Secret to files, as a kubelet does.
func (w *world) mount(ctx context.Context, key types.NamespacedName) (string, *bootstrap.Bootstrap, error) {
	configMap, secret := &corev1.ConfigMap{}, &corev1.Secret{}
	err := w.poll(ctx, "the proxy's ConfigMap and Secret", func() (bool, error) {
		if err := w.Get(ctx, key, configMap); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		err := w.Get(ctx, key, secret)
		return err == nil, client.IgnoreNotFound(err)
	})
	if err != nil {
		return "", nil, err
	}
	identity, state := filepath.Join(w.folder, "identity"), filepath.Join(w.folder, "state")
	for _, folder := range []string{identity, state} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return "", nil, err
		}
	}
	for name, content := range secret.Data {
		if err := os.WriteFile(filepath.Join(identity, name), content, 0o600); err != nil {
			return "", nil, err
		}
	}
	text := strings.NewReplacer("/etc/rauta/identity", identity, "/var/lib/rauta", state).Replace(configMap.Data["bootstrap.yaml"])
	config, err := bootstrap.Parse([]byte(text))
	if err != nil {
		return "", nil, fmt.Errorf("the proxy's bootstrap: %w", err)
	}
	file := filepath.Join(w.folder, "bootstrap.yaml")
	return file, config, os.WriteFile(file, []byte(text), 0o600)
}

// endpointSlice is what an endpoints controller makes of a pod behind a Service.
func endpointSlice(service, ip string, port int32, ready bool) *discoveryv1.EndpointSlice {
	protocol, portName := corev1.ProtocolTCP, "http"
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: service + "-pods", Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &portName, Port: &port, Protocol: &protocol}},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  []string{ip},
			Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: service + "-0", UID: types.UID(service + "-0")},
		}},
	}
}

func conditionTrue(conditions []metav1.Condition, conditionType string) bool {
	for i := range conditions {
		if conditions[i].Type == conditionType {
			return conditions[i].Status == metav1.ConditionTrue
		}
	}
	return false
}
