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

package leader

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// What the election needs of a client must not become that of all clients: a timeout cuts watches.
func TestElectLeavesTheConfigAlone(t *testing.T) {
	config := &rest.Config{Host: "http://127.0.0.1:1", UserAgent: "operator"}
	options := manager.Options{LeaderElection: true, LeaderElectionNamespace: "infra"}
	election, err := Elect(config, &options, DefaultTerms(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if config.Timeout != 0 || config.UserAgent != "operator" || config.WrapTransport != nil {
		t.Errorf("the config has become timeout %s, user agent %q, wrapped %v", config.Timeout, config.UserAgent, config.WrapTransport != nil)
	}
	if election.Fence == nil || options.LeaderElectionResourceLockInterface == nil || options.NewClient == nil {
		t.Error("the manager would hold an election without a fence")
	}
}

func TestElectWithoutElection(t *testing.T) {
	options := manager.Options{}
	election, err := Elect(&rest.Config{}, &options, Terms{}, prometheus.NewRegistry())
	if err != nil || election.Fence != nil || options.NewClient != nil {
		t.Errorf("a single operator needs nothing: %v, %v", election, err)
	}
}
