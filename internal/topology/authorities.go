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
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// authorities are what somebody has to prove himself by.
type authorities struct {
	// bundle in PEM.
	bundle []byte
	// ends is when the last of them ends: from then on nobody can prove himself by any. Those that end before are nothing to tell: a
	// bundle may keep what it no longer needs.
	ends time.Time
}

// add adds those of another reference.
func (a *authorities) add(more authorities) {
	a.bundle = append(a.bundle, more.bundle...)
	if more.ends.After(a.ends) {
		a.ends = more.ends
	}
}

// invalid decides that nobody can prove himself; nil while somebody can. who is told of, and the field is where the references are.
func (a *authorities) invalid(now time.Time, field, who string) *Problem {
	if now.IsZero() || a.ends.IsZero() || !now.After(a.ends) {
		return nil
	}
	return problem(ReasonExpired, "%s: the last of its certificate authorities expired at %s, so that %s",
		field, a.ends.UTC().Format(time.RFC3339), who)
}

// changes is when what invalid says changes; zero for never.
func (a *authorities) changes(now time.Time) time.Time {
	if now.IsZero() || now.After(a.ends) {
		return time.Time{}
	}
	return a.ends
}

// invalidAuthorities is what a listener has to say of those of its clients.
func (r *resolver) invalidAuthorities(l *Listener, gateway *gatewayv1.Gateway) []Problem {
	if l.Clients == nil {
		return nil
	}
	_, field := frontendValidation(gateway, l.Port)
	p := l.Clients.proof.invalid(r.now, fmt.Sprintf("the Gateway's %s.caCertificateRefs", field), "no client can prove itself")
	if p == nil {
		return nil
	}
	if l.ofSet() {
		p.Message = "the Gateway's spec.tls.frontend: no client can prove itself, see the Gateway"
	}
	return []Problem{*p}
}
