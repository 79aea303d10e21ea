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
	"crypto/tls"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

const secretKind = gatewayv1.Kind("Secret")

// TLSSecret is a Secret of type kubernetes.io/tls, as far as a listener needs it.
type TLSSecret struct {
	// Chain and Key in PEM, of the last version of the Secret that could be used; empty where none is known.
	Chain, Key []byte
	// Fault says why the Secret as it is now cannot be used; empty when it can. It never quotes the key.
	Fault string
	// Validity of what Chain holds; zero where none is known.
	Validity Validity
}

// ReadTLSSecret checks that a Secret holds a certificate and the key that belongs to it. What it returns shares the
// Secret's bytes.
func ReadTLSSecret(secret *corev1.Secret) *TLSSecret {
	if secret.Type != corev1.SecretTypeTLS {
		return &TLSSecret{Fault: fmt.Sprintf("is of type %q, not %s", secret.Type, corev1.SecretTypeTLS)}
	}
	chain, key := secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey]
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return &TLSSecret{Fault: fmt.Sprintf("%s and %s are no certificate with its key: %v", corev1.TLSCertKey, corev1.TLSPrivateKeyKey, err)}
	}
	return &TLSSecret{Chain: chain, Key: key, Validity: validityOf(&pair)}
}

// Certificate is what a listener proves itself with: the content of one Secret.
type Certificate struct {
	Secret types.NamespacedName
	// Chain and Key in PEM. Empty where the Secret cannot be used now and nothing is known of what it held: the proxies then
	// go on with what they hold of it, if they do.
	Chain, Key []byte
}

// certificates resolves the certificateRefs of a listener that ends TLS. Those that are not permitted or of another kind
// are left out; those whose Secret is missing or broken stay, for what the proxies hold of them.
func (r *resolver) certificates(from grantee, spec *gatewayv1.Listener) (certificates []Certificate, problems []Problem) {
	if spec.TLS == nil || len(spec.TLS.CertificateRefs) == 0 {
		// "This field is required to have at least one element when the mode is set to "Terminate" (default)"
		// (ListenerTLSConfig.certificateRefs)
		return nil, []Problem{*problem(gatewayv1.ListenerReasonInvalidCertificateRef, "tls.certificateRefs: at least one is required")}
	}
	seen := map[types.NamespacedName]bool{}
	for i := range spec.TLS.CertificateRefs {
		ref := &spec.TLS.CertificateRefs[i]
		key, fault := r.certificateRef(from, ref)
		if fault == nil {
			fault = r.secretProblem(key)
			if !seen[key] {
				seen[key] = true
				certificates = append(certificates, r.certificate(key))
			}
		}
		if fault != nil {
			fault.Message = fmt.Sprintf("tls.certificateRefs[%d]: %s", i, fault.Message)
			problems = append(problems, *fault)
		}
	}
	return certificates, problems
}

// certificateRef names the Secret that a reference means, or says why it cannot be used. The order of the checks is
// deliberate: without a grant nothing is said about whether the Secret exists.
func (r *resolver) certificateRef(from grantee, ref *gatewayv1.SecretObjectReference) (types.NamespacedName, *Problem) {
	key, ok := CertificateSecret(from.namespace, ref)
	if !ok {
		group, kind := coreGroup, secretKind
		if ref.Group != nil {
			group = *ref.Group
		}
		if ref.Kind != nil {
			kind = *ref.Kind
		}
		return key, problem(gatewayv1.ListenerReasonInvalidCertificateRef,
			"%s %q is not supported as a certificate; supported is Secret", qualified(group, kind), ref.Name)
	}
	// "References to a resource in different namespace are invalid UNLESS there is a ReferenceGrant in the target namespace
	// that allows the certificate to be attached. If a ReferenceGrant does not allow this reference, the "ResolvedRefs"
	// condition MUST be set to False for this listener with the "RefNotPermitted" reason." (ListenerTLSConfig)
	if key.Namespace != from.namespace && !r.grants.allow(from, secretKind, key) {
		return key, problem(gatewayv1.ListenerReasonRefNotPermitted,
			"no ReferenceGrant in namespace %q lets %ss of namespace %q refer to Secret %q", key.Namespace, from.kind, from.namespace, key.Name)
	}
	return key, nil
}

// CertificateSecret is the Secret that a certificateRef of a listener means, given the namespace of the Gateway or ListenerSet; false when it means another kind.
func CertificateSecret(namespace string, ref *gatewayv1.SecretObjectReference) (types.NamespacedName, bool) {
	if ref.Namespace != nil {
		namespace = string(*ref.Namespace)
	}
	isSecret := (ref.Group == nil || *ref.Group == coreGroup) && (ref.Kind == nil || *ref.Kind == secretKind)
	return types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}, isSecret
}

// secretProblem says what is wrong with the Secret itself. "A CertificateRef is considered invalid when it refers to a
// nonexistent or unsupported resource or kind, or when the data within that resource is malformed."
// (ListenerReasonInvalidCertificateRef)
func (r *resolver) secretProblem(key types.NamespacedName) *Problem {
	fault := r.secretFault(key)
	if fault == "" {
		return nil
	}
	return problem(gatewayv1.ListenerReasonInvalidCertificateRef, "%s; proxies that hold an earlier certificate of it go on with that one", fault)
}

// secretFault is empty for a Secret that holds a certificate and its key.
func (r *resolver) secretFault(key types.NamespacedName) string {
	secret := r.secrets[key]
	switch {
	case secret == nil:
		return fmt.Sprintf("there is no Secret %s of type %s", key, corev1.SecretTypeTLS)
	case secret.Fault != "":
		return fmt.Sprintf("Secret %s %s", key, secret.Fault)
	default:
		return ""
	}
}

var clientCertificateFeatures = []features.FeatureName{
	features.SupportGatewayBackendClientCertificate,
}

// ClientCertificateRef is the certificate that a Gateway proves itself with to backends; nil for none.
func ClientCertificateRef(gateway *gatewayv1.Gateway) *gatewayv1.SecretObjectReference {
	if gateway.Spec.TLS == nil || gateway.Spec.TLS.Backend == nil {
		return nil
	}
	return gateway.Spec.TLS.Backend.ClientCertificateRef
}

// clientCertificateProblem says what is wrong with that reference; nil when nothing is, or there is none.
//
// "It refers to a resource that cannot be resolved [...] In this case, the `ResolvedRefs` condition on the Gateway MUST be set to
// False with the Reason `InvalidClientCertificateRef` and the Message of the Condition MUST indicate why the reference is
// invalid. It refers to a resource in another namespace UNLESS there is a ReferenceGrant [...] the Reason `RefNotPermitted`."
// (GatewayBackendTLS.clientCertificateRef)
func (r *resolver) clientCertificateProblem(gateway *gatewayv1.Gateway) *Problem {
	ref := ClientCertificateRef(gateway)
	if ref == nil {
		return nil
	}
	const field = "spec.tls.backend.clientCertificateRef: "
	key, fault := r.certificateRef(grantee{kind: gatewayKind, namespace: gateway.Namespace}, ref)
	switch {
	case fault != nil && fault.Reason == string(gatewayv1.ListenerReasonRefNotPermitted):
		return problem(gatewayv1.GatewayReasonRefNotPermitted, "%s%s", field, fault.Message)
	case fault != nil:
		return problem(gatewayv1.GatewayReasonInvalidClientCertificateRef, "%s%s", field, fault.Message)
	}
	if message := r.secretFault(key); message != "" {
		return problem(gatewayv1.GatewayReasonInvalidClientCertificateRef, "%s%s", field, message)
	}
	return nil
}

func (r *resolver) certificate(key types.NamespacedName) Certificate {
	certificate := Certificate{Secret: key}
	if secret := r.secrets[key]; secret != nil {
		certificate.Chain, certificate.Key = secret.Chain, secret.Key
	}
	return certificate
}

// clientCertificate is what the Gateway's proxies prove themselves with to backends; nil for nothing. As with listeners, one whose
// Secret is missing or broken stays, for what the proxies hold of it.
func (r *resolver) clientCertificate(gateway *gatewayv1.Gateway) *Certificate {
	ref := ClientCertificateRef(gateway)
	if ref == nil {
		return nil
	}
	key, fault := r.certificateRef(grantee{kind: gatewayKind, namespace: gateway.Namespace}, ref)
	if fault != nil {
		return nil
	}
	certificate := r.certificate(key)
	return &certificate
}
