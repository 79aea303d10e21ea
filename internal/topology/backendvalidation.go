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
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// bundleReader reads the ConfigMaps that policies refer to, each once.
type bundleReader struct {
	configMaps map[types.NamespacedName]*corev1.ConfigMap
	read       map[types.NamespacedName]bundle
}

// bundle is what a ConfigMap holds, or what is wrong with it.
type bundle struct {
	authorities
	fault string
}

// policy reads what a policy asks of endpoints.
func (b *bundleReader) policy(object *gatewayv1.BackendTLSPolicy) *backendPolicy {
	policy := &backendPolicy{object: object}
	validation := &object.Spec.Validation
	if message := validationProblem(&object.Spec); message != "" {
		policy.invalid = problem(gatewayv1.PolicyReasonInvalid, "%s", message)
	}
	endpoints := &BackendTLS{
		Hostname: string(validation.Hostname), SubjectAltNames: validation.SubjectAltNames, System: len(validation.CACertificateRefs) == 0,
	}
	for i := range validation.CACertificateRefs {
		more, fault := b.authorities(object.Namespace, &validation.CACertificateRefs[i])
		if fault != nil {
			fault.Message = fmt.Sprintf("spec.validation.caCertificateRefs[%d]: %s", i, fault.Message)
			policy.unresolved = append(policy.unresolved, *fault)
			continue
		}
		policy.proof.add(more)
	}
	endpoints.Authorities = policy.proof.bundle
	// "If ALL CACertificateRefs are invalid, the implementation MUST also ensure the `Accepted` Condition on the
	// BackendTLSPolicy is set to `status: False`, with a Reason `NoValidCACertificate`."
	// (BackendTLSPolicyValidation.caCertificateRefs)
	if policy.invalid == nil && !endpoints.System && len(endpoints.Authorities) == 0 {
		policy.invalid = problem(gatewayv1.BackendTLSPolicyReasonNoValidCACertificate,
			"no certificate authority of spec.validation.caCertificateRefs can be used, so that no endpoint can prove itself; requests answer 500")
	}
	if policy.invalid == nil {
		policy.tls = endpoints
	}
	return policy
}

// validationProblem names the first field of a policy, other than its references, that cannot be followed. The API server
// refuses most of it by itself.
func validationProblem(spec *gatewayv1.BackendTLSPolicySpec) string {
	validation := &spec.Validation
	wellKnown := gatewayv1.WellKnownCACertificatesType("")
	if validation.WellKnownCACertificates != nil {
		wellKnown = *validation.WellKnownCACertificates
	}
	switch {
	case len(spec.Options) > 0:
		return fmt.Sprintf("spec.options: %q is not supported", slices.Min(slices.Collect(maps.Keys(spec.Options))))
	case validation.Hostname == "":
		return "spec.validation.hostname: required"
	case wellKnown != "" && len(validation.CACertificateRefs) > 0:
		return "spec.validation.wellKnownCACertificates: must not be given beside caCertificateRefs"
	case wellKnown == "" && len(validation.CACertificateRefs) == 0:
		return "spec.validation: one of caCertificateRefs and wellKnownCACertificates is required"
	// "If an implementation does not support the WellKnownCACertificates field, or the supplied value is not recognized, the
	// implementation MUST ensure the `Accepted` Condition on the BackendTLSPolicy is set to `status: False`, with a Reason
	// `Invalid`." (BackendTLSPolicyValidation.wellKnownCACertificates)
	case wellKnown != "" && wellKnown != gatewayv1.WellKnownCACertificatesSystem:
		return fmt.Sprintf("spec.validation.wellKnownCACertificates: %q is not supported; supported is System", wellKnown)
	}
	for i := range validation.SubjectAltNames {
		if message := sanProblem(&validation.SubjectAltNames[i]); message != "" {
			return fmt.Sprintf("spec.validation.subjectAltNames[%d].%s", i, message)
		}
	}
	return ""
}

var backendTLSFeatures = []features.FeatureName{
	features.SupportBackendTLSPolicy,
	features.SupportBackendTLSPolicySANValidation,
}

func sanProblem(name *gatewayv1.SubjectAltName) string {
	switch {
	case name.Type == gatewayv1.HostnameSubjectAltNameType && name.Hostname == "":
		return "hostname: required"
	case name.Type == gatewayv1.URISubjectAltNameType && !strings.Contains(string(name.URI), ":"):
		return fmt.Sprintf("uri: %q is no URI with a scheme", name.URI)
	case name.Type == gatewayv1.HostnameSubjectAltNameType, name.Type == gatewayv1.URISubjectAltNameType:
		return ""
	}
	return fmt.Sprintf("type: %q is not supported; supported are Hostname and URI", name.Type)
}

// authorities are the certificates that a reference of a policy leads to.
//
// "It refers to an unknown or unsupported kind of resource. In this case, the Reason must be set to `InvalidKind` [...] It refers
// to a resource that cannot be resolved (e.g., the referenced resource does not exist) or is misconfigured (e.g., a ConfigMap
// does not contain a key named `ca.crt`). In this case, the Reason must be set to `InvalidCACertificateRef`"
// (BackendTLSPolicyValidation.caCertificateRefs)
func (b *bundleReader) authorities(namespace string, ref *gatewayv1.LocalObjectReference) (authorities, *Problem) {
	key := types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}
	if ref.Group != coreGroup || ref.Kind != configMapKind {
		return authorities{}, problem(gatewayv1.BackendTLSPolicyReasonInvalidKind,
			"%s %q is not supported as a certificate authority; supported is ConfigMap", qualified(ref.Group, ref.Kind), ref.Name)
	}
	object := b.configMaps[key]
	if object == nil {
		return authorities{}, problem(gatewayv1.BackendTLSPolicyReasonInvalidCACertificateRef, "ConfigMap %s does not exist", key)
	}
	known, done := b.read[key]
	if !done {
		known.authorities, known.fault = readAuthorities(object)
		b.read[key] = known
	}
	if known.fault != "" {
		return authorities{}, problem(gatewayv1.BackendTLSPolicyReasonInvalidCACertificateRef, "ConfigMap %s: %s", key, known.fault)
	}
	return known.authorities, nil
}

// PolicyConfigMaps are the ConfigMaps that a policy names as certificate authorities, whether or not they exist.
func PolicyConfigMaps(policy *gatewayv1.BackendTLSPolicy) []types.NamespacedName {
	var keys []types.NamespacedName
	for i := range policy.Spec.Validation.CACertificateRefs {
		ref := &policy.Spec.Validation.CACertificateRefs[i]
		key := types.NamespacedName{Namespace: policy.Namespace, Name: string(ref.Name)}
		if ref.Group == coreGroup && ref.Kind == configMapKind && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}
