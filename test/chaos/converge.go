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
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/test/cluster"
)

// converged holds when every change comes through again: each Gateway's route gets a new revision, all replicas serve it under
// the same table, and the Gateway says so. It returns the tables' hashes.
func (w *world) converged(ctx context.Context) (map[string]string, error) {
	if err := w.operatorsReady(ctx, operators); err != nil {
		return nil, err
	}
	for _, g := range w.gateways {
		if err := w.revise(ctx, g); err != nil {
			return nil, err
		}
	}
	hashes := map[string]string{}
	for _, g := range w.gateways {
		err := w.until(ctx, "all replicas of "+g.String()+" serve the same", func(ctx context.Context) (err error) {
			hashes[g.String()], err = w.agreed(ctx, g)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if err := w.calm(ctx); err != nil {
		return nil, err
	}
	return hashes, w.alive(ctx)
}

// revise gives the Gateway's route a new revision.
func (w *world) revise(ctx context.Context, g *gateway) error {
	g.revision++
	return change(ctx, w, g.key(), &gatewayv1.HTTPRoute{}, func(route *gatewayv1.HTTPRoute) { setRevision(route, g.revision) })
}

// agreed is the hash of the table that all replicas of the Gateway serve: with the wanted revision, and as its status says.
func (w *world) agreed(ctx context.Context, g *gateway) (string, error) {
	pods, err := w.replicas(ctx, g)
	if err != nil {
		return "", err
	}
	if err := w.answered(ctx, g, pods); err != nil {
		return "", err
	}
	identity, err := w.identity(ctx, g)
	if err != nil {
		return "", err
	}
	tables := make([]served, len(pods))
	for i := range pods {
		if tables[i], err = w.table(ctx, &pods[i], identity); err != nil {
			return "", err
		}
		if tables[i].hash != tables[0].hash || tables[i].generation != tables[0].generation {
			return "", fmt.Errorf("%s serves %s of generation %d, %s serves %s of generation %d", pods[0].Name, tables[0].hash, tables[0].generation,
				pods[i].Name, tables[i].hash, tables[i].generation)
		}
	}
	return tables[0].hash, w.told(ctx, g, tables[0].generation)
}

// told holds when the Gateway's status says what is so.
func (w *world) told(ctx context.Context, g *gateway, generation uint64) error {
	object := &gatewayv1.Gateway{}
	if err := w.Client.Get(ctx, g.key(), object); err != nil {
		return err
	}
	condition := meta.FindStatusCondition(object.Status.Conditions, string(gatewayv1.GatewayConditionProgrammed))
	want := fmt.Sprintf("%d of %d ready replicas serve generation %d", replicas, replicas, generation)
	if condition == nil || condition.Status != "True" || condition.ObservedGeneration != object.Generation || condition.Message != want {
		return fmt.Errorf("its condition Programmed is %v, want %q", condition, want)
	}
	return nil
}

// answered holds when each replica itself, past the Service, answers with the wanted revision.
func (w *world) answered(ctx context.Context, g *gateway, pods []corev1.Pod) error {
	for i := range pods {
		status, revision, err := w.ask(ctx, netip.AddrPortFrom(addressOf(&pods[i]), httpPort), host)
		if err != nil {
			return err
		}
		if status != http.StatusOK || revision != strconv.Itoa(g.revision) {
			return fmt.Errorf("%s answers %d with revision %q, want %d", pods[i].Name, status, revision, g.revision)
		}
	}
	return nil
}

// ask sends one request on a connection of its own, and returns the status and the revision of the answer.
func (w *world) ask(ctx context.Context, to netip.AddrPort, hostname string) (status int, revision string, err error) {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp4", to.String())
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+hostname+"/", nil)
	if err != nil {
		return 0, "", err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header.Get(revisionHeader), err
}

// identity is the certificate that the Gateway's replicas share.
func (w *world) identity(ctx context.Context, g *gateway) (tls.Certificate, error) {
	secret := &corev1.Secret{}
	if err := w.Client.Get(ctx, g.resources(), secret); err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
}

// comesAndGoes are the kinds that rollouts and faults make and delete.
var comesAndGoes = []string{"pods/", "endpointslices/", "endpoints/", "replicasets/", "controllerrevisions/", "tokenreviews/"}

// inventory is what should live: everything of the tenants and all that is in no namespace.
func (w *world) inventory(ctx context.Context) (cluster.Inventory, error) {
	namespaces := make([]string, 0, len(w.tenants))
	for _, t := range w.tenants {
		namespaces = append(namespaces, t.namespace)
	}
	found, err := w.Inventory(ctx, namespaces...)
	for name := range found {
		for _, prefix := range comesAndGoes {
			if strings.HasPrefix(name, prefix) {
				delete(found, name)
			}
		}
	}
	return found, err
}

// alive holds when nothing was deleted that should live, not even to be made again.
func (w *world) alive(ctx context.Context) error {
	var now cluster.Inventory
	err := w.until(ctx, "the cluster says what it has", func(ctx context.Context) (err error) {
		now, err = w.inventory(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if lost := w.baseline.Lost(now); len(lost) > 0 {
		return fmt.Errorf("lost: %s", strings.Join(lost, "; "))
	}
	return nil
}
