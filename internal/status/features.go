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
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// supported is the list of what is implemented; the GatewayClass publishes it and conformance tests are chosen by it.
var supported = []features.FeatureName{
	features.SupportGRPCRoute,
	features.SupportGateway,
	features.SupportHTTPRoute,
	features.SupportReferenceGrant,

	features.SupportGRPCRouteNamedRouteRule,

	features.SupportBackendTLSPolicy,
	features.SupportBackendTLSPolicySANValidation,

	features.SupportGatewayAddressEmpty,
	features.SupportGatewayBackendClientCertificate,
	features.SupportGatewayFrontendClientCertificateValidation,
	features.SupportGatewayFrontendClientCertificateValidationInsecureFallback,
	features.SupportGatewayHTTPListenerIsolation,
	features.SupportGatewayHTTPSListenerDetectMisdirectedRequests,
	features.SupportGatewayInfrastructure,
	features.SupportGatewayPort8080,
	features.SupportGatewayStaticAddresses,
	features.SupportListenerSet,

	features.SupportHTTPRoute303RedirectStatusCode,
	features.SupportHTTPRoute307RedirectStatusCode,
	features.SupportHTTPRoute308RedirectStatusCode,
	features.SupportHTTPRouteBackendProtocolH2C,
	features.SupportHTTPRouteBackendProtocolWebSocket,
	features.SupportHTTPRouteBackendRequestHeaderModification,
	features.SupportHTTPRouteBackendTimeout,
	features.SupportHTTPRouteCORS,
	features.SupportHTTPRouteDestinationPortMatching,
	features.SupportHTTPRouteHostRewrite,
	features.SupportHTTPRouteMethodMatching,
	features.SupportHTTPRouteNamedRouteRule,
	features.SupportHTTPRouteParentRefPort,
	features.SupportHTTPRoutePathRedirect,
	features.SupportHTTPRoutePathRewrite,
	features.SupportHTTPRoutePortRedirect,
	features.SupportHTTPRouteQueryParamMatching,
	features.SupportHTTPRouteRequestMirror,
	features.SupportHTTPRouteRequestMultipleMirrors,
	features.SupportHTTPRouteRequestPercentageMirror,
	features.SupportHTTPRouteRequestTimeout,
	features.SupportHTTPRouteResponseHeaderModification,
	features.SupportHTTPRouteSchemeRedirect,
}

// experimental are the features whose fields the experimental channel of the HTTPRoute CRD has alone: with the standard one
// the API server drops them, and nothing can be promised.
var experimental = []features.FeatureName{
	features.SupportHTTPRouteRetry,
	features.SupportHTTPRouteRetryBackendTimeout,
	features.SupportHTTPRouteRetryConnectionError,
}

// SupportedFeatures are the features of the Gateway API that are implemented, for HTTPRoute CRDs of the standard channel or
// of the experimental one. "It MUST be sorted in ascending
// alphabetical order by the Name key." (GatewayClassStatus.supportedFeatures)
func SupportedFeatures(experimentalRoutes bool) []gatewayv1.SupportedFeature {
	names := slices.Clone(supported)
	if experimentalRoutes {
		names = append(names, experimental...)
	}
	slices.Sort(names)
	list := make([]gatewayv1.SupportedFeature, 0, len(names))
	for _, name := range names {
		list = append(list, gatewayv1.SupportedFeature{Name: gatewayv1.FeatureName(name)})
	}
	return list
}
