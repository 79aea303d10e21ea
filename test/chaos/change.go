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
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

func (w *world) anyGateway() *gateway { return w.gateways[w.random.IntN(len(w.gateways))] }
func (w *world) anyTenant() *tenant   { return w.tenants[w.random.IntN(len(w.tenants))] }

// eachReplica waits until something holds of every replica of the Gateway.
func (w *world) eachReplica(ctx context.Context, g *gateway, what string, holds func(context.Context, *corev1.Pod) error) error {
	return w.until(ctx, "all replicas of "+g.String()+" "+what, func(ctx context.Context) error {
		pods, err := w.replicas(ctx, g)
		if err != nil {
			return err
		}
		for i := range pods {
			if err := holds(ctx, &pods[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func routeChanged(ctx context.Context, w *world, _ *incident) error {
	g := w.anyGateway()
	for range 10 {
		if err := w.revise(ctx, g); err != nil {
			return err
		}
	}
	return w.eachReplica(ctx, g, "serve the last of ten changes", func(ctx context.Context, pod *corev1.Pod) error {
		return w.answered(ctx, g, []corev1.Pod{*pod})
	})
}

// answers holds when a replica answers on a port with a status.
func (w *world) answers(ctx context.Context, pod *corev1.Pod, port uint16, hostname string, status int) error {
	got, _, err := w.ask(ctx, netip.AddrPortFrom(addressOf(pod), port), hostname)
	if err != nil {
		return err
	}
	if got != status {
		return fmt.Errorf("%s answers %d, want %d", pod.Name, got, status)
	}
	return nil
}

func routeAdded(ctx context.Context, w *world, _ *incident) error {
	g := w.anyGateway()
	route := g.route(g.name+"-added", "added.example")
	if err := w.create(ctx, route); err != nil {
		return err
	}
	err := w.eachReplica(ctx, g, "serve the added route", func(ctx context.Context, pod *corev1.Pod) error {
		return w.answers(ctx, pod, httpPort, "added.example", http.StatusOK)
	})
	if err != nil {
		return err
	}
	if err := w.Client.Delete(ctx, route); err != nil {
		return err
	}
	return w.eachReplica(ctx, g, "serve the added route no longer", func(ctx context.Context, pod *corev1.Pod) error {
		return w.answers(ctx, pod, httpPort, "added.example", http.StatusNotFound)
	})
}

// rolledOut waits until a Deployment has nothing but pods of its newest template.
func (w *world) rolledOut(ctx context.Context, key client.ObjectKey) error {
	return w.until(ctx, "deployment "+key.String()+" is rolled out", func(ctx context.Context) error {
		deployment := &appsv1.Deployment{}
		if err := w.Client.Get(ctx, key, deployment); err != nil {
			return err
		}
		s, wanted := deployment.Status, ptr.Deref(deployment.Spec.Replicas, 1)
		terminating := ptr.Deref(s.TerminatingReplicas, 0)
		if s.ObservedGeneration != deployment.Generation || s.UpdatedReplicas != wanted || s.AvailableReplicas != wanted || s.Replicas != wanted || terminating > 0 {
			return fmt.Errorf("%d of %d pods are new, %d are available, %d end, of %d", s.UpdatedReplicas, wanted, s.AvailableReplicas, terminating, s.Replicas)
		}
		return nil
	})
}

// template is the annotation of a pod template whose change rolls it out.
const template = "chaos.rauta.dev/rollout"

func restartTemplate(deployment *appsv1.Deployment) {
	if deployment.Spec.Template.Annotations == nil {
		deployment.Spec.Template.Annotations = map[string]string{}
	}
	deployment.Spec.Template.Annotations[template] = time.Now().Format(time.RFC3339Nano)
}

func backendRolledOut(ctx context.Context, w *world, _ *incident) error {
	key := client.ObjectKey{Namespace: w.anyTenant().namespace, Name: elastic}
	if err := change(ctx, w, key, &appsv1.Deployment{}, restartTemplate); err != nil {
		return err
	}
	return w.rolledOut(ctx, key)
}

func endpointsScaled(ctx context.Context, w *world, _ *incident) error {
	key := client.ObjectKey{Namespace: w.anyTenant().namespace, Name: elastic}
	for _, n := range []int32{1, 3} {
		err := change(ctx, w, key, &appsv1.Deployment{}, func(deployment *appsv1.Deployment) { deployment.Spec.Replicas = ptr.To(n) })
		if err != nil {
			return err
		}
		if err := w.rolledOut(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func certificateReplaced(ctx context.Context, w *world, _ *incident) error {
	t := w.anyTenant()
	certificatePEM, keyPEM, serial, err := w.authority.issue(host)
	if err != nil {
		return err
	}
	err = change(ctx, w, client.ObjectKey{Namespace: t.namespace, Name: certificate}, &corev1.Secret{}, func(secret *corev1.Secret) {
		secret.Data = map[string][]byte{corev1.TLSCertKey: certificatePEM, corev1.TLSPrivateKeyKey: keyPEM}
	})
	if err != nil {
		return err
	}
	config := &tls.Config{ServerName: host, RootCAs: w.authority.roots(), MinVersion: tls.VersionTLS12}
	for _, g := range w.gateways {
		if g.tenant != t {
			continue
		}
		err := w.eachReplica(ctx, g, "show the new certificate", func(ctx context.Context, pod *corev1.Pod) error {
			to := netip.AddrPortFrom(addressOf(pod), httpsPort)
			connection, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp4", to.String())
			if err != nil {
				return err
			}
			defer connection.Close()
			encrypted, ok := connection.(*tls.Conn)
			if got := encrypted.ConnectionState().PeerCertificates[0].SerialNumber; !ok || got.Cmp(serial) != 0 {
				return fmt.Errorf("%s shows certificate %s, want %s", pod.Name, got, serial)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// parametersPushed bounds the number of fields, and sees that a request with more is refused.
func parametersPushed(ctx context.Context, w *world, _ *incident) error {
	t := w.anyTenant()
	bound := func(limits *v1alpha1.Limits) error {
		return change(ctx, w, client.ObjectKey{Namespace: t.namespace, Name: parameters}, &v1alpha1.GatewayParameters{}, func(p *v1alpha1.GatewayParameters) {
			p.Spec.Limits = limits
		})
	}
	for _, step := range []struct {
		limits *v1alpha1.Limits
		status int
	}{
		{&v1alpha1.Limits{MaxFields: ptr.To[int32](20)}, http.StatusRequestHeaderFieldsTooLarge},
		{nil, http.StatusOK},
	} {
		if err := bound(step.limits); err != nil {
			return err
		}
		for _, g := range w.gateways {
			if g.tenant != t {
				continue
			}
			err := w.eachReplica(ctx, g, "have the new limit", func(ctx context.Context, pod *corev1.Pod) error {
				return w.fields(ctx, pod, step.status)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// fields holds when a replica answers a request with thirty fields with a status.
func (w *world) fields(ctx context.Context, pod *corev1.Pod, status int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+netip.AddrPortFrom(addressOf(pod), httpPort).String()+"/", nil)
	if err != nil {
		return err
	}
	request.Host = host
	for n := range 30 {
		request.Header.Set("X-Field-"+strconv.Itoa(n), "x")
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != status {
		return fmt.Errorf("%s answers %d, want %d", pod.Name, response.StatusCode, status)
	}
	return nil
}

// parametersRolled changes the log level of a tenant's proxies, which have to begin anew for it.
func parametersRolled(ctx context.Context, w *world, i *incident) error {
	if err := w.rollParameters(ctx, w.anyTenant(), i); err != nil {
		return err
	}
	return w.until(ctx, "no replica is left that began before", func(ctx context.Context) error { return w.replacedAll(ctx, i) })
}

// rollParameters does not wait for what comes of it.
func (w *world) rollParameters(ctx context.Context, t *tenant, i *incident) error {
	for _, g := range w.gateways {
		if g.tenant == t {
			if err := w.forgive(ctx, g, i); err != nil {
				return err
			}
		}
	}
	return change(ctx, w, client.ObjectKey{Namespace: t.namespace, Name: parameters}, &v1alpha1.GatewayParameters{}, func(p *v1alpha1.GatewayParameters) {
		if ptr.Deref(p.Spec.LogLevel, v1alpha1.LogLevelInfo) == v1alpha1.LogLevelInfo {
			p.Spec.LogLevel = ptr.To(v1alpha1.LogLevelWarn)
			return
		}
		p.Spec.LogLevel = ptr.To(v1alpha1.LogLevelInfo)
	})
}

// forgive notes that all replicas of the Gateway will end, and those with whom sessions are held.
func (w *world) forgive(ctx context.Context, g *gateway, i *incident) error {
	pods, err := w.replicas(ctx, g)
	for n := range pods {
		w.ledger.hit(i, addressOf(&pods[n]), forgiveSessions)
	}
	return err
}

// replacedAll holds when none of the replicas is left that an incident hit, whether it ends or not.
func (w *world) replacedAll(ctx context.Context, i *incident) error {
	for _, g := range w.gateways {
		list := &corev1.PodList{}
		if err := w.Client.List(ctx, list, client.InNamespace(g.tenant.namespace), g.labels()); err != nil {
			return err
		}
		for n := range list.Items {
			if i.forgiven[addressOf(&list.Items[n])] != 0 {
				return fmt.Errorf("%s is left", list.Items[n].Name)
			}
		}
		if _, err := w.replicas(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

func listenerAdded(ctx context.Context, w *world, _ *incident) error {
	const port = 8090
	g := w.anyGateway()
	err := change(ctx, w, g.key(), &gatewayv1.Gateway{}, func(object *gatewayv1.Gateway) {
		object.Spec.Listeners = append(object.Spec.Listeners, gatewayv1.Listener{Name: "added", Port: port, Protocol: gatewayv1.HTTPProtocolType})
	})
	if err != nil {
		return err
	}
	err = w.eachReplica(ctx, g, "serve the added listener", func(ctx context.Context, pod *corev1.Pod) error {
		return w.answers(ctx, pod, port, host, http.StatusOK)
	})
	if err != nil {
		return err
	}
	err = change(ctx, w, g.key(), &gatewayv1.Gateway{}, func(object *gatewayv1.Gateway) {
		object.Spec.Listeners = object.Spec.Listeners[:len(object.Spec.Listeners)-1]
	})
	if err != nil {
		return err
	}
	return w.eachReplica(ctx, g, "serve the added listener no longer", func(ctx context.Context, pod *corev1.Pod) error {
		if err := w.answers(ctx, pod, port, host, http.StatusOK); err == nil {
			return fmt.Errorf("%s still answers", pod.Name)
		}
		return nil
	})
}
