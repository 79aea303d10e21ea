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

// Command cluster runs a real single-node Kubernetes on one Linux machine, without Docker and without a registry.
// It builds every component from pinned Go modules (modules/*), and runs all of them inside namespaces of their own.
// docs/local-cluster.md tells how it works.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// command is one subcommand.
type command struct {
	name, args, help string
	run              func(args []string) error
}

// commands lists the subcommands in the order of the usage text. Those without a help text are internal.
func commands() []command {
	return []command{
		{"up", "", "build what is missing, start the cluster, wait until it is ready; harmless when it runs", runUp},
		{"down", "", "end the cluster and remove everything of it, also after a crash", runDown},
		{"status", "", "say whether the cluster runs, where its files and addresses are", runStatus},
		{"verify", "", "list what is left of a cluster on this machine; exit 1 if anything is", runVerify},
		{"load", "IMAGE.tar...", "import image archives into the node", runLoad},
		{"kubectl", "ARGS...", "run kubectl in the cluster", runKubectl},
		{"exec", "COMMAND ARGS...", "run a command in the cluster's network namespace, with KUBECONFIG set", runExec},
		{"kubeconfig", "", "print the path of the admin kubeconfig", runKubeconfig},
		{"build", "", "build all components, start nothing", runBuild},
		{"assets", "", "build kube-apiserver, etcd and kubectl; print their directory, for KUBEBUILDER_ASSETS", runAssets},
		{"conformance-images", "[-load]", "build the images of the Gateway API conformance suite; print their archives", runConformanceImages},
		{"init", "", "", runInit},
		{"supervise", "", "", runSupervise},
		{"loadbalancer", "", "", runLoadBalancer},
	}
}

func main() {
	if len(os.Args) < 2 {
		usage()
		os.Exit(2)
	}
	for _, c := range commands() {
		if c.name != os.Args[1] {
			continue
		}
		if err := c.run(os.Args[2:]); err != nil {
			fail(err)
		}
		return
	}
	usage()
	os.Exit(2)
}

// exitCode is the error of a command that was run for the caller and has already said what was wrong.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func fail(err error) {
	var code exitCode
	if errors.As(err, &code) {
		os.Exit(int(code))
	}
	fmt.Fprintln(os.Stderr, "cluster:", err)
	os.Exit(1)
}

func usage() {
	var b strings.Builder
	b.WriteString("Usage: cluster COMMAND\n\n")
	for _, c := range commands() {
		if c.help != "" {
			fmt.Fprintf(&b, "  %-28s %s\n", strings.TrimSpace(c.name+" "+c.args), c.help)
		}
	}
	fmt.Fprint(os.Stderr, b.String())
}
