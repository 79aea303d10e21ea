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
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/leader"
)

// TestNothingIsWrittenWithoutTheLease asks an operator that does not lead to write in all the ways it has.
func TestNothingIsWrittenWithoutTheLease(t *testing.T) {
	w := sharedWorld(t)
	mgr, o, err := newManager(rest.CopyConfig(w.config), manager.Options{
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0", LeaderElection: true,
	}, Options{
		ControllerName: DefaultControllerName, ProxyImage: "proxy:test", OperatorNamespace: operatorNamespace, Registerer: prometheus.NewRegistry(),
		Terms: leader.Terms{LeaseDuration: time.Minute, RenewDeadline: time.Minute / 2, RetryPeriod: time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	class := gatewayClass("without-the-lease", "example.com/other")
	w.create(t, class)
	accepted := metav1.Condition{
		Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted", LastTransitionTime: metav1.Now(),
	}
	for what, write := range map[string]func() error{
		"a status": func() error {
			return o.writer.GatewayClass(t.Context(), class, gatewayv1.GatewayClassStatus{Conditions: []metav1.Condition{accepted}})
		},
		"an object": func() error {
			return mgr.GetClient().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "without-the-lease"}})
		},
	} {
		if err := write(); !errors.Is(err, leader.ErrNotLeading) {
			t.Errorf("%s written by an operator that does not lead: got %v, want it refused", what, err)
		}
	}
}
