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

// Command operator runs RAUTA's control plane: it provisions a proxy for each Gateway of its class and keeps every
// replica's table as the Gateway API objects say.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/rauta-dev/rauta/internal/controller"
)

// gcPercent is how much of what is held may be thrown away before it is collected, unless GOGC says so.
const gcPercent = 40

// shutdownPatience is how long what runs may take to end. Giving back the lease may take the renew deadline in addition.
const shutdownPatience = 2 * time.Second

// version is set when the binary is linked.
var version = "unknown"

func main() {
	settings, err := parse(flag.NewFlagSet(os.Args[0], flag.ExitOnError), os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if settings.printVersion {
		fmt.Println(version)
		return
	}
	// What is held is small beside what a process takes, and what is thrown away is little: collecting it sooner costs nothing that
	// can be seen, and a third of the memory less is held.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&settings.zap)))
	log := ctrl.Log.WithName("setup")
	restConfig, err := config.GetConfig()
	if err != nil {
		log.Error(err, "cannot read the kubeconfig")
		os.Exit(1)
	}
	if err := run(ctrl.SetupSignalHandler(), restConfig, settings); err != nil {
		log.Error(err, "the operator ended")
		os.Exit(1)
	}
}

func run(ctx context.Context, restConfig *rest.Config, s settings) error {
	// Priority and fairness of the API server bounds us better than a client that waits in line with itself.
	restConfig.QPS = -1
	options := manager.Options{
		Metrics: metricsserver.Options{
			BindAddress:   s.metricsAddress,
			SecureServing: s.metricsSecure,
			TLSOpts:       []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }},
		},
		HealthProbeBindAddress: s.probeAddress,
		PprofBindAddress:       s.pprofAddress,
		LeaderElection:         s.leaderElection,
		// What does not end by then is cut off, and the lease is given back before the kubelet's patience ends.
		GracefulShutdownTimeout: new(shutdownPatience),
	}
	if s.metricsSecure {
		options.Metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	if err := awaitServer(ctx, restConfig, s.probeAddress); err != nil || ctx.Err() != nil {
		return err
	}
	mgr, err := controller.NewManager(restConfig, options, s.controller)
	if err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return fmt.Errorf("add health check: %w", err)
	}
	ctrl.Log.WithName("setup").Info("starting the operator", "version", version)
	return mgr.Start(ctx)
}
