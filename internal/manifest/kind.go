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
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// The kinds that are rendered.
const (
	kindConfigMap               = "ConfigMap"
	kindDeployment              = "Deployment"
	kindHorizontalPodAutoscaler = "HorizontalPodAutoscaler"
	kindNetworkPolicy           = "NetworkPolicy"
	kindPodDisruptionBudget     = "PodDisruptionBudget"
	kindService                 = "Service"
	kindServiceAccount          = "ServiceAccount"
)

// kinds are all of them, sorted.
var kinds = []string{
	kindConfigMap,
	kindDeployment,
	kindHorizontalPodAutoscaler,
	kindNetworkPolicy,
	kindPodDisruptionBudget,
	kindService,
	kindServiceAccount,
}

// apiVersions are the API versions in which they are rendered.
var apiVersions = map[string]string{
	kindConfigMap:               "v1",
	kindDeployment:              "apps/v1",
	kindHorizontalPodAutoscaler: "autoscaling/v2",
	kindNetworkPolicy:           "networking.k8s.io/v1",
	kindPodDisruptionBudget:     "policy/v1",
	kindService:                 "v1",
	kindServiceAccount:          "v1",
}

// removable are the kinds that a patch may delete. The others are the proxy.
var removable = map[string]bool{
	kindNetworkPolicy:       true,
	kindPodDisruptionBudget: true,
}

// newTyped gives an empty object of a kind, to decode into.
func newTyped(kind string) any {
	switch kind {
	case kindConfigMap:
		return &corev1.ConfigMap{}
	case kindDeployment:
		return &appsv1.Deployment{}
	case kindHorizontalPodAutoscaler:
		return &autoscalingv2.HorizontalPodAutoscaler{}
	case kindNetworkPolicy:
		return &networkingv1.NetworkPolicy{}
	case kindPodDisruptionBudget:
		return &policyv1.PodDisruptionBudget{}
	case kindService:
		return &corev1.Service{}
	case kindServiceAccount:
		return &corev1.ServiceAccount{}
	}
	return nil
}
