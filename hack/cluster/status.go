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
	"fmt"
	"os"
	"strings"
)

// runStatus tells where the cluster is and whether it answers. It fails when none runs, so that scripts can ask.
func runStatus([]string) error {
	p, built, err := runningCluster()
	if err != nil {
		return err
	}
	first, ok, err := findInit(p)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("the local cluster does not run: start it with make cluster-up")
	}
	health := "answers"
	if err := p.probe(); err != nil {
		health = "does not answer: " + err.Error()
	}
	if took, err := os.ReadFile(p.readyFile()); err == nil {
		health += ", was ready after " + strings.TrimSpace(string(took))
	} else {
		health += ", is starting"
	}
	fmt.Printf(`Kubernetes %s, %s
kubeconfig          %s
network namespace   /proc/%d/ns/net (enter it with: cluster exec COMMAND)
logs                %s
state               %s
kubectl             %s
node                %s
pods                %s
services            %s
load balancers      %s, from %s on only for spec.loadBalancerIP
`, kubernetesVersion, health, p.kubeconfig("admin"), first.pid, p.path("log"), p.state(), built.Binaries["kubectl"],
		nodeAddress, podRange, serviceRange, balancerRange, balancerStatic)
	return nil
}
