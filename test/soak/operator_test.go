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
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/rauta-dev/rauta/internal/controller"
)

// operator is one as cmd/operator runs it, but for its servers.
type operator struct {
	cache  cache.Cache
	writes *writes
	cancel context.CancelFunc
	ended  chan error
}

func startOperator(w *world) *operator {
	w.t.Helper()
	skip, seen := true, &writes{t: w.t}
	restConfig := rest.CopyConfig(w.config)
	restConfig.Wrap(func(next http.RoundTripper) http.RoundTripper { return &counted{RoundTripper: next, writes: seen} })
	mgr, err := controller.NewManager(restConfig, manager.Options{
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Controller: config.Controller{SkipNameValidation: &skip}, Logger: logr.Discard(),
	}, controller.Options{
		ControllerName: controller.DefaultControllerName, ProxyImage: "proxy:test", OperatorNamespace: operatorNamespace, OperatorPod: "operator-0",
		Registerer:  prometheus.NewRegistry(),
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(w.tables.dial), grpc.WithChainStreamInterceptor(w.tables.follow)},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	o := &operator{cache: mgr.GetCache(), writes: seen, cancel: cancel, ended: make(chan error, 1)}
	go func() { o.ended <- mgr.Start(ctx) }()
	return o
}

func (o *operator) stop(t *testing.T) {
	t.Helper()
	o.cancel()
	if err := <-o.ended; err != nil {
		t.Errorf("the operator ended with %v", err)
	}
}

// writes are the statuses that an operator wrote.
type writes struct {
	t  *testing.T
	mu sync.Mutex
	// taken and refused count what the API server took, and what it refused with a conflict.
	taken, refused int
}

func (w *writes) counts() (taken, refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.taken, w.refused
}

// counted looks at each write of a status on its way. One that changes nothing leaves no event, and the object's version as it was.
type counted struct {
	http.RoundTripper
	writes *writes
}

// RoundTrip sends a request.
func (c *counted) RoundTrip(request *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(request.URL.Path, "/status") {
		return c.RoundTripper.RoundTrip(request)
	}
	if request.Method != http.MethodPut {
		c.writes.t.Errorf("%s %s: statuses are updated in the version that was read, and in no other way", request.Method, request.URL.Path)
	}
	sent, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	again := request.Clone(request.Context())
	again.Body = io.NopCloser(bytes.NewReader(sent))
	response, err := c.RoundTripper.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(got))
	c.note(request, response.StatusCode, sent, got)
	return response, nil
}

func (c *counted) note(request *http.Request, code int, sent, got []byte) {
	c.writes.mu.Lock()
	defer c.writes.mu.Unlock()
	switch code {
	case http.StatusOK:
		c.writes.taken++
		before, after := versionOf(sent), versionOf(got)
		if before == after {
			c.writes.t.Errorf("a write without a difference: PUT %s in version %s", request.URL.Path, before)
		}
	case http.StatusConflict:
		c.writes.refused++
	case http.StatusNotFound:
	default:
		c.writes.t.Errorf("PUT %s is answered %d: %s", request.URL.Path, code, got)
	}
}

func versionOf(object []byte) string {
	read := struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
	}{}
	if err := json.Unmarshal(object, &read); err != nil {
		return fmt.Sprint(err)
	}
	return read.Metadata.ResourceVersion
}
