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

package topology

import (
	"slices"

	"sigs.k8s.io/gateway-api/pkg/features"
)

// Features are the features of the Gateway API that are implemented, sorted, each declared beside what implements it; with those whose
// fields only the experimental channel of the HTTPRoute CRD has, as the API server drops them with the standard one, and
// nothing could be promised.
func Features(experimentalRoutes bool) []features.FeatureName {
	names := slices.Concat(
		gatewayFeatures, hostnameFeatures, overlapFeatures, listenerSetFeatures, clientValidationFeatures, clientCertificateFeatures,
		grantFeatures, backendTLSFeatures, grpcRouteFeatures, ruleFeatures, parentRefFeatures, timeoutFeatures, appProtocolFeatures,
		streamFeatures,
	)
	for _, ofType := range filterFeatures {
		names = append(names, ofType...)
	}
	for _, ofStatus := range redirectStatuses {
		names = append(names, ofStatus...)
	}
	if experimentalRoutes {
		names = append(names, retryFeatures...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
