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
	"crypto/x509"
	"encoding/pem"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

const (
	configMapKind = gatewayv1.Kind("ConfigMap")
	// authoritiesKey is "a key named `ca.crt`" (FrontendTLSValidation.caCertificateRefs).
	authoritiesKey = "ca.crt"
)

var clientValidationFeatures = []features.FeatureName{
	features.SupportGatewayFrontendClientCertificateValidation,
	features.SupportGatewayFrontendClientCertificateValidationInsecureFallback,
}

// ClientValidation is how a listener's clients prove themselves.
type ClientValidation struct {
	// Authorities in PEM, of all references that can be used.
	Authorities []byte
	// InsecureFallback lets in clients without a valid certificate.
	InsecureFallback bool

	proof authorities
}

// frontendValidation is what the Gateway asks of the clients of a port; nil for nothing. "Per port configuration is optional.
// Once set this configuration overrides the default configuration for all Listeners handling HTTPS traffic that match this
// port." (FrontendTLSConfig.perPort)
func frontendValidation(gateway *gatewayv1.Gateway, port int32) (validation *gatewayv1.FrontendTLSValidation, field string) {
	if gateway.Spec.TLS == nil || gateway.Spec.TLS.Frontend == nil {
		return nil, ""
	}
	frontend := gateway.Spec.TLS.Frontend
	for i := range frontend.PerPort {
		if frontend.PerPort[i].Port == port {
			return frontend.PerPort[i].TLS.Validation, fmt.Sprintf("spec.tls.frontend.perPort[%d].tls.validation", i)
		}
	}
	return frontend.Default.Validation, "spec.tls.frontend.default.validation"
}

// FrontendValidations are all that a Gateway asks of its clients.
func FrontendValidations(gateway *gatewayv1.Gateway) []*gatewayv1.FrontendTLSValidation {
	if gateway.Spec.TLS == nil || gateway.Spec.TLS.Frontend == nil {
		return nil
	}
	var all []*gatewayv1.FrontendTLSValidation
	if validation := gateway.Spec.TLS.Frontend.Default.Validation; validation != nil {
		all = append(all, validation)
	}
	for i := range gateway.Spec.TLS.Frontend.PerPort {
		if validation := gateway.Spec.TLS.Frontend.PerPort[i].TLS.Validation; validation != nil {
			all = append(all, validation)
		}
	}
	return all
}

// clientValidation resolves what a listener asks of its clients. invalid is set where nothing of it can be used.
//
// "If ALL CACertificateRefs are invalid, the implementation MUST also ensure the `Accepted` condition on the listener is set
// to `status: False`, with the Reason `NoValidCACertificate`." (FrontendTLSValidation.caCertificateRefs)
func (r *resolver) clientValidation(gateway *gatewayv1.Gateway, port int32) (clients *ClientValidation, problems []Problem, invalid string) {
	validation, field := frontendValidation(gateway, port)
	if validation == nil {
		return nil, nil, ""
	}
	clients = &ClientValidation{InsecureFallback: validation.Mode == gatewayv1.AllowInsecureFallback}
	for i := range validation.CACertificateRefs {
		more, problem := r.authorities(gateway.Namespace, &validation.CACertificateRefs[i])
		if problem != nil {
			problem.Message = fmt.Sprintf("the Gateway's %s.caCertificateRefs[%d]: %s", field, i, problem.Message)
			problems = append(problems, *problem)
			continue
		}
		clients.proof.add(more)
	}
	clients.Authorities = clients.proof.bundle
	if len(clients.Authorities) > 0 {
		return clients, problems, ""
	}
	return nil, problems, "no certificate authority of the Gateway's " + field + " can be used, so that no client could be told from another"
}

// authorities are the certificates that a reference leads to. Without a grant nothing is said about what exists.
func (r *resolver) authorities(namespace string, ref *gatewayv1.ObjectReference) (authorities, *Problem) {
	key, ok := AuthoritiesConfigMap(namespace, ref)
	// "It refers to an unknown or unsupported kind of resource. In this case, the Reason on all matching HTTPS listeners must
	// be set to `InvalidCACertificateKind`" (FrontendTLSValidation.caCertificateRefs)
	if !ok {
		return authorities{}, problem(gatewayv1.ListenerReasonInvalidCACertificateKind,
			"%s %q is not supported as a certificate authority; supported is ConfigMap", qualified(ref.Group, ref.Kind), ref.Name)
	}
	if key.Namespace != namespace && !r.grants.allow(grantee{kind: gatewayKind, namespace: namespace}, configMapKind, key) {
		return authorities{}, problem(gatewayv1.ListenerReasonRefNotPermitted,
			"no ReferenceGrant in namespace %q lets Gateways of namespace %q refer to ConfigMap %q", key.Namespace, namespace, key.Name)
	}
	object := r.configMaps[key]
	if object == nil {
		return authorities{}, problem(gatewayv1.ListenerReasonInvalidCACertificateRef, "ConfigMap %s does not exist", key)
	}
	read, fault := readAuthorities(object)
	if fault != "" {
		return authorities{}, problem(gatewayv1.ListenerReasonInvalidCACertificateRef, "ConfigMap %s: %s", key, fault)
	}
	return read, nil
}

// AuthoritiesConfigMap is the ConfigMap that a reference to certificate authorities means; false when it means another kind.
func AuthoritiesConfigMap(namespace string, ref *gatewayv1.ObjectReference) (types.NamespacedName, bool) {
	if ref.Namespace != nil {
		namespace = string(*ref.Namespace)
	}
	return types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}, ref.Group == coreGroup && ref.Kind == configMapKind
}

// readAuthorities gives the certificates of a ConfigMap, written anew, so that nothing else of it goes further.
func readAuthorities(object *corev1.ConfigMap) (read authorities, fault string) {
	text, has := object.Data[authoritiesKey]
	if !has {
		return authorities{}, "has no key " + authoritiesKey
	}
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return authorities{}, fmt.Sprintf("%s holds a certificate that cannot be read: %v", authoritiesKey, err)
		}
		read.add(authorities{bundle: pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}), ends: certificate.NotAfter})
	}
	if len(read.bundle) == 0 {
		return authorities{}, authoritiesKey + " holds no certificate in PEM"
	}
	return read, ""
}

// insecureFrontend is the Gateway's InsecureFrontendValidationMode; nil unless it is True: "This condition is removed as soon
// as FrontendValidationModeType is changed back to `AllowValidOnly`."
func insecureFrontend(gateway *gatewayv1.Gateway) *Decision {
	for _, validation := range FrontendValidations(gateway) {
		if validation.Mode == gatewayv1.AllowInsecureFallback {
			decision := yes(gatewayv1.GatewayConditionInsecureFrontendValidationMode, gatewayv1.GatewayReasonConfigurationChanged,
				"spec.tls.frontend has mode AllowInsecureFallback: clients are let in also without a valid certificate")
			return &decision
		}
	}
	return nil
}
