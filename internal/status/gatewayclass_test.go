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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"
	"sigs.k8s.io/gateway-api/pkg/features"

	"github.com/rauta-dev/rauta/internal/topology"
)

func TestGatewayClass(t *testing.T) {
	cases := map[string]struct {
		reason  string
		facts   ClassFacts
		want    string
		message string // part of some message
	}{
		"the version that we are built for": {
			reason: "the CRDs of our own module are supported",
			facts:  ClassFacts{CRDVersions: map[string]string{"gateways.gateway.networking.k8s.io": consts.BundleVersion}},
			want:   "Accepted=True/Accepted@4 SupportedVersion=True/SupportedVersion@4",
		},
		"another patch release": {
			reason: "patch releases change no API",
			facts:  ClassFacts{CRDVersions: map[string]string{"gateways": "v1.6.0", "httproutes": "v1.6.9"}},
			want:   "Accepted=True/Accepted@4 SupportedVersion=True/SupportedVersion@4", message: "v1.6.0, v1.6.9",
		},
		"an older version": {
			reason: "other versions get best effort, which the specification expresses as Accepted without SupportedVersion; the message names both sides",
			facts:  ClassFacts{CRDVersions: map[string]string{"gateways": "v1.5.1", "httproutes": "v1.6.3"}},
			want:   "Accepted=True/Accepted@4 SupportedVersion=False/UnsupportedVersion@4", message: "v1.5.1, v1.6.3; supported is v1.6",
		},
		"a longer number": {
			reason: "v1.60 is not v1.6",
			facts:  ClassFacts{CRDVersions: map[string]string{"gateways": "v1.60.0"}},
			want:   "Accepted=True/Accepted@4 SupportedVersion=False/UnsupportedVersion@4",
		},
		"no annotation": {
			reason: "a CRD without the annotation MUST make the condition False",
			facts:  ClassFacts{CRDVersions: map[string]string{"gateways": "v1.6.3", "httproutes": ""}},
			want:   "Accepted=True/Accepted@4 SupportedVersion=False/UnsupportedVersion@4", message: "none, v1.6.3",
		},
		"no CRD known": {
			reason: "nothing found is nothing supported",
			want:   "Accepted=True/Accepted@4 SupportedVersion=False/UnsupportedVersion@4",
		},
		"a missing CRD": {
			reason: "a kind that is not installed is named, so that somebody can install it",
			facts:  ClassFacts{CRDVersions: map[string]string{"gateways": "v1.6.3"}, MissingCRDs: []string{"referencegrants.x", "httproutes.x"}},
			want:   "Accepted=True/Accepted@4 SupportedVersion=False/UnsupportedVersion@4", message: "missing CRDs: httproutes.x, referencegrants.x",
		},
		"invalid parameters": {
			reason: "parameters that cannot be used reject the class and name the reference",
			facts:  ClassFacts{Parameters: &topology.Problem{Reason: "InvalidParameters", Message: "spec.parametersRef: GatewayParameters x/y does not exist"}, CRDVersions: map[string]string{"gateways": "v1.6.3"}},
			want:   "Accepted=False/InvalidParameters@4 SupportedVersion=True/SupportedVersion@4", message: "GatewayParameters x/y does not exist",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			class := &gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "rauta", Generation: 4}}
			got := GatewayClass(class, &c.facts, now)
			if diff := cmp.Diff(c.want, lines(got.Conditions)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if !slices.ContainsFunc(got.Conditions, func(condition metav1.Condition) bool { return strings.Contains(condition.Message, c.message) }) {
				t.Errorf("%s: no message has %q: %+v", c.reason, c.message, got.Conditions)
			}
			class.Status = got
			if diff := cmp.Diff(got, GatewayClass(class, &c.facts, then)); diff != "" {
				t.Errorf("a second time nothing changes (-first +again):\n%s", diff)
			}
		})
	}
}

func TestSupportedVersionsIsTheModules(t *testing.T) {
	if !strings.HasPrefix(consts.BundleVersion, SupportedVersions+".") {
		t.Errorf("built with Gateway API %s, and claims to support %s", consts.BundleVersion, SupportedVersions)
	}
}

// With CRDs of the standard channel a field of the experimental one never arrives, so that its feature is not claimed.
func TestFeaturesOfTheExperimentalChannel(t *testing.T) {
	class := &gatewayv1.GatewayClass{}
	retry := func(facts *ClassFacts) bool {
		return slices.ContainsFunc(GatewayClass(class, facts, now).SupportedFeatures, func(f gatewayv1.SupportedFeature) bool {
			return features.FeatureName(f.Name) == features.SupportHTTPRouteRetry
		})
	}
	if retry(&ClassFacts{}) || !retry(&ClassFacts{ExperimentalRoutes: true}) {
		t.Error("retries are a feature of the experimental channel")
	}
}

func TestSupportedFeatures(t *testing.T) {
	list := SupportedFeatures(true)
	if !slices.IsSortedFunc(list, func(a, b gatewayv1.SupportedFeature) int { return strings.Compare(string(a.Name), string(b.Name)) }) {
		t.Errorf("the list MUST be sorted by name: %v", list)
	}
	seen := map[gatewayv1.FeatureName]bool{}
	for _, feature := range list {
		if features.GetFeature(features.FeatureName(feature.Name)).Name == "" || seen[feature.Name] {
			t.Errorf("%q is no feature of the Gateway API, or listed twice", feature.Name)
		}
		seen[feature.Name] = true
	}
}
