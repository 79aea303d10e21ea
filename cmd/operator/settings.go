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
	"errors"
	"flag"
	"fmt"
	"os"

	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/rauta-dev/rauta/internal/controller"
	"github.com/rauta-dev/rauta/internal/leader"
	"github.com/rauta-dev/rauta/internal/pki"
)

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
	flags.DurationVar(&s.controller.IdentityLifetime, "identity-lifetime", pki.LeafLifetime,
		"how long certificates of the admin channel are valid that are issued from now on, 4m to 720h; two thirds of it later they are renewed")
	flags.StringVar(&s.metricsAddress, "metrics-bind-address", ":8443", "address of /metrics; 0 turns it off")
	flags.BoolVar(&s.metricsSecure, "metrics-secure", true, "serve /metrics over TLS, to those whom the API server lets read it")
	flags.StringVar(&s.probeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	flags.StringVar(&s.pprofAddress, "pprof-bind-address", "0",
		"address of /debug/pprof for whoever reaches it, such as 127.0.0.1:6060; 0, the default, turns it off")
	flags.BoolVar(&s.leaderElection, "leader-elect", true, "let only one of several operators act")
	terms := leader.DefaultTerms()
	flags.DurationVar(&s.controller.Terms.LeaseDuration, "leader-elect-lease-duration", terms.LeaseDuration,
		"how long the other operators wait for a leader of which they hear nothing")
	flags.DurationVar(&s.controller.Terms.RenewDeadline, "leader-elect-renew-deadline", terms.RenewDeadline,
		"how long a leader acts since its lease was renewed last; then it ends")
	flags.DurationVar(&s.controller.Terms.RetryPeriod, "leader-elect-retry-period", terms.RetryPeriod,
		"pause between two attempts to renew the lease, or to get it")
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
	err := s.controller.Validate()
	if s.leaderElection {
		err = errors.Join(err, s.controller.Terms.Validate())
	}
	return s, err
}
