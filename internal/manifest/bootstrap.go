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

package manifest

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// bootstrapKey is the ConfigMap's one key, and the file's name in the container.
const bootstrapKey = "bootstrap.yaml"

// Identities are URI SANs in the certificates of the admin channel.
const (
	operatorIdentity = "spiffe://rauta.dev/operator"
	gatewayIdentity  = "spiffe://rauta.dev/gateway/"
)

// bootstrap is the file that a proxy starts from: who it is, where the operator finds it, and how it ends. The
// proxy reads it strictly: an unknown field stops it.
type bootstrap struct {
	Gateway bootstrapGateway `yaml:"gateway"`
	Admin   bootstrapAdmin   `yaml:"admin"`
	Peers   bootstrapPeers   `yaml:"peers"`
	Health  bootstrapHealth  `yaml:"health"`
	Log     bootstrapLog     `yaml:"log"`
	Drain   bootstrapDrain   `yaml:"drain"`
	State   bootstrapState   `yaml:"state"`
}

type bootstrapGateway struct {
	Namespace string `yaml:"namespace"`
	Name      string `yaml:"name"`
}

type bootstrapAdmin struct {
	Address     string `yaml:"address"`
	Identity    string `yaml:"identity"`
	Operator    string `yaml:"operator"`
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	CA          string `yaml:"ca"`
}

// bootstrapPeers is where the replicas give each other their table, and the name by which they find each other.
type bootstrapPeers struct {
	Address string `yaml:"address"`
	Name    string `yaml:"name"`
}

type bootstrapHealth struct {
	Address string `yaml:"address"`
}

type bootstrapLog struct {
	Level string `yaml:"level"`
}

type bootstrapDrain struct {
	Delay   string `yaml:"delay"`
	Timeout string `yaml:"timeout"`
}

// bootstrapState is where the last good table is kept for a restart of the container.
type bootstrapState struct {
	Directory string `yaml:"directory"`
}

// renderBootstrap gives the text of bootstrap.yaml.
func renderBootstrap(in Input, s settings) (string, error) {
	const identityDir = "/etc/rauta/identity/"
	namespace, gateway := in.Gateway.Namespace, in.Gateway.Name
	file := bootstrap{
		Gateway: bootstrapGateway{Namespace: namespace, Name: gateway},
		Admin: bootstrapAdmin{
			Address:     ":" + strconv.Itoa(int(s.adminPort)),
			Identity:    gatewayIdentity + namespace + "/" + gateway,
			Operator:    operatorIdentity,
			Certificate: identityDir + "tls.crt",
			Key:         identityDir + "tls.key",
			CA:          identityDir + "ca.crt",
		},
		Peers: bootstrapPeers{
			Address: ":" + strconv.Itoa(int(s.peersPort)),
			// The cluster's domain is not known here; a pod's resolver adds it.
			Name: peersName(gateway, in.ClassName) + "." + namespace + ".svc",
		},
		Health: bootstrapHealth{Address: ":" + strconv.Itoa(int(s.healthPort))},
		Log:    bootstrapLog{Level: s.logLevel},
		Drain:  bootstrapDrain{Delay: s.drainDelay.String(), Timeout: s.drainTimeout.String()},
		State:  bootstrapState{Directory: "/var/lib/rauta"},
	}

	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(file); err != nil {
		return "", fmt.Errorf("encoding %s: %w", bootstrapKey, err)
	}
	return text.String(), nil
}

// gracePeriod is a pod's termination grace period in seconds: the drain and 5 s for the process to end, rounded up.
func gracePeriod(delay, timeout time.Duration) int64 {
	return int64((delay+timeout+time.Second-1)/time.Second) + 5
}
