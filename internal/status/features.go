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

package status

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// SupportedFeatures are the features of the Gateway API that are implemented, for HTTPRoute CRDs of the standard channel or
// of the experimental one; the GatewayClass publishes them and conformance tests are chosen by them. "It MUST be sorted in
// ascending alphabetical order by the Name key." (GatewayClassStatus.supportedFeatures)
func SupportedFeatures(experimentalRoutes bool) []gatewayv1.SupportedFeature {
	names := topology.Features(experimentalRoutes)
	list := make([]gatewayv1.SupportedFeature, len(names))
	for i, name := range names {
		list[i].Name = gatewayv1.FeatureName(name)
	}
	return list
}
