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
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// attemptPatience bounds one attempt to reach the API server, and attemptPause is between two.
	attemptPatience = 5 * time.Second
	attemptPause    = time.Second
)

// awaitServer waits until the API server answers, or the context ends. A manager cannot be made before, and an operator that ends over
// that is started again after pauses that grow to five minutes: it would be the last to notice that the API server is back.
func awaitServer(ctx context.Context, restConfig *rest.Config, probeAddress string) error {
	patient := rest.CopyConfig(restConfig)
	patient.Timeout = attemptPatience
	asks, err := discovery.NewDiscoveryClientForConfig(patient)
	if err != nil {
		return fmt.Errorf("create client: %w", err)
	}
	err = answers(asks)
	if err == nil {
		return nil
	}
	ctrl.Log.WithName("setup").Info("waiting for the API server", "problem", err.Error())
	end, err := answerProbes(probeAddress)
	if err != nil {
		return err
	}
	defer end()
	for ctx.Err() == nil && answers(asks) != nil {
		select {
		case <-ctx.Done():
		case <-time.After(attemptPause):
		}
	}
	return nil
}

// answers is nil when the API server has something to say, if only that it refuses us: that is for others to report.
func answers(asks discovery.ServerVersionInterface) error {
	_, err := asks.ServerVersion()
	status := apierrors.APIStatus(nil)
	if errors.As(err, &status) && status.Status().Code < http.StatusInternalServerError {
		return nil
	}
	return err
}

// answerProbes says that the operator lives, and is not ready, until its end is called and the manager says so itself.
func answerProbes(address string) (end func(), err error) {
	if address == "" || address == "0" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for probes: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "waiting for the API server", http.StatusServiceUnavailable)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: attemptPatience}
	go func() { _ = server.Serve(listener) }() // it ends with end
	return func() { _ = server.Close() }, nil
}
