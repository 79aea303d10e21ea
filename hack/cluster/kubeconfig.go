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
	"encoding/base64"
	"fmt"
	"os"
)

// makeKubeconfigs writes one kubeconfig for each client of the API. They carry their certificates, so that each is
// complete by itself and can be read from any directory.
func makeKubeconfigs(p place) error {
	for _, user := range []string{"admin", "loadbalancer", "controller-manager", "scheduler", "kube-proxy", "kubelet"} {
		var parts [3]string
		for i, file := range []string{p.certificate("ca"), p.certificate(user), p.key(user)} {
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("writing the kubeconfig of %s: %w", user, err)
			}
			parts[i] = base64.StdEncoding.EncodeToString(data)
		}
		content := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster: {server: %[2]q, certificate-authority-data: %[4]s}
users:
- name: %[3]s
  user: {client-certificate-data: %[5]s, client-key-data: %[6]s}
contexts:
- name: %[1]s
  context: {cluster: %[1]s, user: %[3]s}
current-context: %[1]s
`, p.name, apiServer, user, parts[0], parts[1], parts[2])
		if err := writeFile(p.kubeconfig(user), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
