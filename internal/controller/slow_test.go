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
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// A webhook that does not answer holds up the objects of a Gateway's proxy, each time for as long as the API server waits for it. What
// changes of the routes reaches the proxies that run all the same.
func TestRoutesDoNotWaitForObjects(t *testing.T) {
	g := NewWithT(t)
	environment, w, err := startAPI(crdDirectories(t)...)
	if environment != nil {
		t.Cleanup(func() { _ = environment.Stop() })
	}
	g.Expect(err).NotTo(HaveOccurred())
	var waiting, held atomic.Bool
	answered := make(chan struct{})
	operator := startOperator(t, w, func(options *manager.Options) {
		options.NewClient = func(config *rest.Config, options client.Options) (client.Client, error) {
			under, err := client.NewWithWatch(config, options)
			if err != nil {
				return nil, err
			}
			return interceptor.NewClient(under, interceptor.Funcs{
				Apply: func(ctx context.Context, next client.WithWatch, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
					if kind, is := object.(interface{ GetKind() string }); is && kind.GetKind() == "Service" && waiting.Load() {
						held.Store(true)
						select {
						case <-answered:
						case <-ctx.Done():
						}
					}
					return next.Apply(ctx, object, options...)
				},
			}), nil
		}
	})
	defer operator.stop(t)
	w.create(t, gatewayClass(className, DefaultControllerName))
	namespace := w.tenant(t)
	gateway := httpGateway(namespace, "web")
	service, slice := backendService(namespace, "cart")
	w.create(t, service, slice, gateway, routeTo(namespace, "before", "web", "cart"))
	replica := w.run(t, gateway)
	g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("route/httproute/" + namespace + "/before"))

	waiting.Store(true)
	g.Eventually(func() error {
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(gateway), gateway); err != nil {
			return err
		}
		more := gateway.Spec.Listeners[0]
		more.Name, more.Port = "more", 8080
		gateway.Spec.Listeners = append(gateway.Spec.Listeners, more)
		return w.Update(t.Context(), gateway)
	}).WithTimeout(patient).Should(Succeed())
	g.Eventually(held.Load).WithTimeout(patient).Should(BeTrue())
	w.create(t, routeTo(namespace, "after", "web", "cart"))
	g.Eventually(names(replica)).WithTimeout(patient).Should(And(HaveKey("listener/more"), HaveKey("route/httproute/"+namespace+"/after")))
	generation := func() (int64, error) {
		err := w.Get(t.Context(), client.ObjectKeyFromObject(gateway), gateway)
		return gateway.Status.Conditions[0].ObservedGeneration, err
	}
	g.Expect(generation()).To(BeNumerically("<", gateway.Generation), "nothing is said of what is not done yet")
	close(answered)
	g.Eventually(generation).WithTimeout(patient).Should(Equal(gateway.Generation))
}
