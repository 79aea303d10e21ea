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

// version is set when the binary is linked.
var version = "unknown"

// settings are what the flags say.
type settings struct {
	controller     controller.Options
	metricsAddress string
	metricsSecure  bool
	probeAddress   string
	pprofAddress   string
	leaderElection bool
	printVersion   bool
	zap            zap.Options
}

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

// parse reads the flags. Defaults that depend on where the operator runs come from its environment.
func parse(flags *flag.FlagSet, args []string) (settings, error) {
	var s settings
	flags.StringVar(&s.controller.ProxyImage, "proxy-image", os.Getenv("RELATED_IMAGE_PROXY"),
		"image of the proxy where GatewayParameters name none (default $RELATED_IMAGE_PROXY)")
	flags.StringVar(&s.controller.OperatorNamespace, "operator-namespace", os.Getenv("POD_NAMESPACE"),
		"namespace of the operator, where its certificate authority is kept (default $POD_NAMESPACE)")
	flags.StringVar(&s.controller.OperatorPod, "operator-pod", os.Getenv("POD_NAME"),
		"name of the operator's own pod, for Events; empty outside a cluster (default $POD_NAME)")
	flags.StringVar(&s.controller.ControllerName, "controller-name", controller.DefaultControllerName,
		"spec.controllerName of the GatewayClasses to implement")
	flags.StringVar(&s.metricsAddress, "metrics-bind-address", ":8443", "address of /metrics; 0 turns it off")
	flags.BoolVar(&s.metricsSecure, "metrics-secure", true, "serve /metrics over TLS, to those whom the API server lets read it")
	flags.StringVar(&s.probeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	flags.StringVar(&s.pprofAddress, "pprof-bind-address", "0",
		"address of /debug/pprof for whoever reaches it, such as 127.0.0.1:6060; 0, the default, turns it off")
	flags.BoolVar(&s.leaderElection, "leader-elect", true, "let only one of several operators act")
	flags.BoolVar(&s.printVersion, "version", false, "print the version and end")
	s.zap.BindFlags(flags)
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.printVersion {
		return s, nil
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q: every setting is a flag", flags.Arg(0))
	}
	return s, s.controller.Validate()
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
		HealthProbeBindAddress:        s.probeAddress,
		PprofBindAddress:              s.pprofAddress,
		LeaderElection:                s.leaderElection,
		LeaderElectionID:              "operator.rauta.dev",
		LeaderElectionNamespace:       s.controller.OperatorNamespace,
		LeaderElectionReleaseOnCancel: true,
	}
	if s.metricsSecure {
		options.Metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	mgr, err := controller.NewManager(restConfig, options, s.controller)
	if err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return fmt.Errorf("add health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("readyz", healthz.Ping); err != nil {
		return fmt.Errorf("add readiness check: %w", err)
	}
	ctrl.Log.WithName("setup").Info("starting the operator", "version", version)
	return mgr.Start(ctx)
}
