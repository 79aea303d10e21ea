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
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// routeMoved gives a route another backend, and the first one again; asked tells which pod answers by it.
func routeMoved(ctx context.Context, w *world, g *gateway, move func(backend string) error, asked func(context.Context, *corev1.Pod) (string, error)) error {
	for _, name := range []string{steady, elastic} {
		if err := move(name); err != nil {
			return err
		}
		err := w.eachReplica(ctx, g, "send to "+name, func(ctx context.Context, pod *corev1.Pod) error {
			answered, err := asked(ctx, pod)
			if err == nil && !strings.HasPrefix(answered, name+"-") {
				return fmt.Errorf("%s still sends to %q", pod.Name, answered)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func udpRouteMoved(ctx context.Context, w *world, _ *incident) error {
	g := w.anyGateway()
	return routeMoved(ctx, w, g, func(name string) error {
		key := client.ObjectKeyFromObject(g.datagrams())
		return change(ctx, w, key, &gatewayv1.UDPRoute{}, func(route *gatewayv1.UDPRoute) {
			route.Spec.Rules[0].BackendRefs = []gatewayv1.BackendRef{backend(name, 9001)}
		})
	}, askDatagram)
}

// askDatagram sends one datagram to a replica, and returns the name of the pod that gave it back.
func askDatagram(ctx context.Context, pod *corev1.Pod) (string, error) {
	socket, err := (&net.Dialer{}).DialContext(ctx, "udp4", netip.AddrPortFrom(addressOf(pod), udpPort).String())
	if err != nil {
		return "", err
	}
	defer socket.Close()
	if err := socket.SetDeadline(time.Now().Add(pause)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(socket, "0"); err != nil {
		return "", err
	}
	text := make([]byte, 1<<10)
	n, err := socket.Read(text)
	_, answered, _ := strings.Cut(string(text[:n]), " ")
	return answered, err
}

func tlsRouteMoved(ctx context.Context, w *world, _ *incident) error {
	g := w.anyGateway()
	return routeMoved(ctx, w, g, func(name string) error {
		key := client.ObjectKeyFromObject(g.passedThrough("-through", through, elastic))
		return change(ctx, w, key, &gatewayv1.TLSRoute{}, func(route *gatewayv1.TLSRoute) {
			route.Spec.Rules[0].BackendRefs = []gatewayv1.BackendRef{backend(name, 443)}
		})
	}, w.askThrough)
}

// askThrough sends one request over TLS that a backend ends to a replica, and returns the name of the pod that answered.
func (w *world) askThrough(ctx context.Context, pod *corev1.Pod) (string, error) {
	transport := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: w.sealing.roots(), MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp4", netip.AddrPortFrom(addressOf(pod), tlsPort).String())
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+through+"/", nil)
	if err != nil {
		return "", err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return strings.TrimSpace(string(text)), err
}

// setChanged adds a listener to a ListenerSet, and takes it away again.
func setChanged(ctx context.Context, w *world, _ *incident) error {
	const added, port = "added", morePort + 1
	g := w.anyGateway()
	key := client.ObjectKeyFromObject(g.more())
	err := change(ctx, w, key, &gatewayv1.ListenerSet{}, func(set *gatewayv1.ListenerSet) {
		set.Spec.Listeners = append(set.Spec.Listeners, gatewayv1.ListenerEntry{Name: added, Port: port, Protocol: gatewayv1.HTTPProtocolType})
	})
	if err != nil {
		return err
	}
	err = w.eachReplica(ctx, g, "serve the ListenerSet's new listener", func(ctx context.Context, pod *corev1.Pod) error {
		return w.answers(ctx, pod, port, host, http.StatusOK)
	})
	if err != nil {
		return err
	}
	err = change(ctx, w, key, &gatewayv1.ListenerSet{}, func(set *gatewayv1.ListenerSet) {
		set.Spec.Listeners = slices.DeleteFunc(set.Spec.Listeners, func(l gatewayv1.ListenerEntry) bool { return l.Name == added })
	})
	if err != nil {
		return err
	}
	return w.eachReplica(ctx, g, "serve the ListenerSet's new listener no longer", func(ctx context.Context, pod *corev1.Pod) error {
		if err := w.answers(ctx, pod, port, host, http.StatusOK); err == nil {
			return fmt.Errorf("%s still answers", pod.Name)
		}
		return nil
	})
}
