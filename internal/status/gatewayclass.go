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
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// SupportedVersions is the series of Gateway API releases whose CRDs this controller is built and tested for: the
// major and minor version of the bundle.
const SupportedVersions = "v1.6"

// ClassFacts is what a GatewayClass's status depends on.
type ClassFacts struct {
	// Parameters is what is wrong with spec.parametersRef or with what it refers to; nil when nothing is.
	Parameters *topology.Problem
	// CRDVersions are the bundle-version annotations of the Gateway API CRDs in the cluster, by CRD name; empty where
	// the annotation is missing.
	CRDVersions map[string]string
	// ExperimentalRoutes is true when the HTTPRoute CRD is of the experimental channel.
	ExperimentalRoutes bool
	// MissingCRDs are the names of CRDs that this controller needs and that are not there.
	MissingCRDs []string
}

// GatewayClass gives the GatewayClass's status.
func GatewayClass(class *gatewayv1.GatewayClass, facts *ClassFacts, now time.Time) gatewayv1.GatewayClassStatus {
	decisions := []topology.Decision{classAccepted(facts), supportedVersion(facts)}
	next := class.Status
	next.Conditions = merged(next.Conditions, decisions, nil, class.Generation, now)
	next.SupportedFeatures = SupportedFeatures(facts.ExperimentalRoutes)
	return next
}

func classAccepted(facts *ClassFacts) topology.Decision {
	if facts.Parameters != nil {
		return decide(gatewayv1.GatewayClassConditionStatusAccepted, metav1.ConditionFalse,
			facts.Parameters.Reason, facts.Parameters.Message)
	}
	// "Implementations MAY choose to either provide "best effort" support when an unrecognized CRD version is present.
	// This would be communicated by setting the "Accepted" condition to true and the "SupportedVersion" condition to
	// false."
	return decide(gatewayv1.GatewayClassConditionStatusAccepted, metav1.ConditionTrue, gatewayv1.GatewayClassReasonAccepted,
		"Gateways of this class are provisioned")
}

// supportedVersion decides SupportedVersion. "If implementations detect any Gateway API CRDs that either do not have this
// annotation set, or have it set to a version that is not recognized or supported by the implementation, this condition
// MUST be set to false." (GatewayClassConditionStatusSupportedVersion)
func supportedVersion(facts *ClassFacts) topology.Decision {
	unsupported := func(message string) topology.Decision {
		return decide(gatewayv1.GatewayClassConditionStatusSupportedVersion, metav1.ConditionFalse,
			gatewayv1.GatewayClassReasonUnsupportedVersion, message)
	}
	if len(facts.MissingCRDs) > 0 {
		missing := strings.Join(slices.Sorted(slices.Values(facts.MissingCRDs)), ", ")
		return unsupported(fmt.Sprintf("missing CRDs: %s; install the Gateway API %s CRDs", missing, SupportedVersions))
	}
	found := map[string]struct{}{}
	fits := true
	for _, version := range facts.CRDVersions {
		fits = fits && strings.HasPrefix(version, SupportedVersions+".")
		if version == "" {
			version = "none"
		}
		found[version] = struct{}{}
	}
	versions := strings.Join(slices.Sorted(maps.Keys(found)), ", ")
	if !fits || len(found) == 0 {
		return unsupported(fmt.Sprintf(
			"bundle versions of the Gateway API CRDs: %s; supported is %s, other versions are served as far as they agree with it",
			versions, SupportedVersions))
	}
	return decide(gatewayv1.GatewayClassConditionStatusSupportedVersion, metav1.ConditionTrue,
		gatewayv1.GatewayClassReasonSupportedVersion, fmt.Sprintf("bundle versions of the Gateway API CRDs: %s", versions))
}
