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
	"slices"
	"strings"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// ConditionInvalidCertificate is the condition of a listener, or of the Gateway for its own certificate, that says that who is shown
// a certificate will refuse it; and of a listener, or a BackendTLSPolicy, whose authorities vouch for nobody any more. It is set only when it is True. ResolvedRefs is for references and data: "the data within that
// resource is malformed" (ListenerReasonInvalidCertificateRef) is not so here. Such a certificate stays in use: who has
// to be refused is for the other end to decide, and no connection at all would be worse.
const ConditionInvalidCertificate = "rauta.dev/InvalidCertificate"

// The reasons of ConditionInvalidCertificate, the gravest first.
const (
	ReasonExpired          = "Expired"
	ReasonNotYetValid      = "NotYetValid"
	ReasonHostnameMismatch = "HostnameMismatch"
)

// Validity is when and for whom the first certificate of a chain is valid. Those after it are not looked at: a chain may carry
// one that is expired and needed by nobody.
type Validity struct {
	NotBefore, NotAfter time.Time
	// Hostnames and addresses that it names.
	Hostnames []string
}

func validityOf(pair *tls.Certificate) Validity {
	leaf := pair.Leaf
	hostnames := slices.Clone(leaf.DNSNames)
	for _, address := range leaf.IPAddresses {
		hostnames = append(hostnames, address.String())
	}
	return Validity{NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Hostnames: hostnames}
}

// problem says why nobody accepts a certificate at a time; nil where somebody may. A time of zero is none.
func (v *Validity) problem(now time.Time) *Problem {
	switch {
	case now.IsZero() || v.NotAfter.IsZero():
		return nil
	case now.After(v.NotAfter):
		return problem(ReasonExpired, "expired at %s", v.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(v.NotBefore):
		return problem(ReasonNotYetValid, "is not valid before %s", v.NotBefore.UTC().Format(time.RFC3339))
	default:
		return nil
	}
}

// changes is when what problem says changes next; zero for never.
func (v *Validity) changes(now time.Time) time.Time {
	switch {
	case now.IsZero() || now.After(v.NotAfter):
		return time.Time{}
	case now.Before(v.NotBefore):
		return v.NotBefore
	default:
		return v.NotAfter
	}
}

// covers reports whether a certificate that names a host is for a hostname of a listener, of which it may be for a part. "*" stands for one
// label (RFC 9525, section 6.3).
func (v *Validity) covers(hostname string) bool {
	return slices.ContainsFunc(v.Hostnames, func(name string) bool {
		name = strings.ToLower(name)
		_, parent, _ := strings.Cut(hostname, ".")
		return name == hostname || name == "*."+parent || strings.HasPrefix(hostname, "*.") && intersect(hostname, name)
	})
}

// invalidCertificate decides the condition of a listener, of which there may be problems already; nil unless it is True.
func (r *resolver) invalidCertificate(spec *gatewayv1.Listener, certificates []Certificate, problems []Problem) *Decision {
	known, covered := 0, spec.Hostname == nil || *spec.Hostname == ""
	for i := range certificates {
		key := certificates[i].Secret
		secret := r.secrets[key]
		if secret == nil || len(secret.Chain) == 0 {
			continue
		}
		known++
		covered = covered || secret.Validity.covers(string(*spec.Hostname))
		if p := secret.Validity.problem(r.now); p != nil {
			p.Message = fmt.Sprintf("tls.certificateRefs: the certificate of Secret %s %s; it is still shown, and clients refuse it", key, p.Message)
			problems = append(problems, *p)
		}
	}
	if known > 0 && !covered {
		problems = append(problems, *problem(ReasonHostnameMismatch,
			"tls.certificateRefs: no certificate is for hostname %q; clients refuse what they are shown", *spec.Hostname))
	}
	return invalidCertificate(problems)
}

// invalidClientCertificate decides the condition of the Gateway, for what it shows to backends.
func (r *resolver) invalidClientCertificate(certificate *Certificate) *Decision {
	if certificate == nil || r.secrets[certificate.Secret] == nil {
		return nil
	}
	p := r.secrets[certificate.Secret].Validity.problem(r.now)
	if p == nil {
		return nil
	}
	p.Message = fmt.Sprintf("spec.tls.backend.clientCertificateRef: the certificate of Secret %s %s; it is still shown, and backends refuse it", certificate.Secret, p.Message)
	return invalidCertificate([]Problem{*p})
}

func invalidCertificate(problems []Problem) *Decision {
	if len(problems) == 0 {
		return nil
	}
	order := []string{ReasonExpired, ReasonNotYetValid, ReasonHostnameMismatch}
	reason := slices.MinFunc(problems, func(a, b Problem) int { return slices.Index(order, a.Reason) - slices.Index(order, b.Reason) }).Reason
	messages := make([]string, len(problems))
	for i := range problems {
		messages[i] = problems[i].Message
	}
	decision := yes(ConditionInvalidCertificate, reason, enumerate(messages))
	return &decision
}

// nextChange is when a decision about the topology changes although no object does; zero for never.
func (r *resolver) nextChange(t *Topology) time.Time {
	var next time.Time
	note := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, certificate := range t.shown() {
		if secret := r.secrets[certificate.Secret]; secret != nil {
			note(secret.Validity.changes(r.now))
		}
	}
	for i := range t.Listeners {
		if clients := t.Listeners[i].Clients; clients != nil {
			note(clients.proof.changes(r.now))
		}
	}
	if r.policies != nil {
		for _, policy := range r.policies.ordered {
			note(policy.proof.changes(r.now))
		}
	}
	return next
}

// shown are all certificates that something is said about.
func (t *Topology) shown() []Certificate {
	var shown []Certificate
	if t.ClientCertificate != nil {
		shown = append(shown, *t.ClientCertificate)
	}
	for i := range t.Listeners {
		shown = append(shown, t.Listeners[i].Certificates...)
	}
	return shown
}
