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

package translate

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// backendTLS renders how endpoints prove themselves, and what the proxy proves itself with.
func backendTLS(secured *topology.BackendTLS, own *topology.Certificate) *adminv1.BackendTls {
	spec := &adminv1.BackendTls{
		Hostname: secured.Hostname, Authorities: secured.Authorities, SystemAuthorities: secured.System,
	}
	for i := range secured.SubjectAltNames {
		spec.SubjectAltNames = append(spec.SubjectAltNames, subjectAltName(&secured.SubjectAltNames[i]))
	}
	if own != nil {
		spec.Certificate = topology.CertificateName(own.Secret)
	}
	return spec
}

func subjectAltName(name *gatewayv1.SubjectAltName) *adminv1.SubjectAltName {
	if name.Type == gatewayv1.URISubjectAltNameType {
		return &adminv1.SubjectAltName{Name: &adminv1.SubjectAltName_Uri{Uri: string(name.URI)}}
	}
	return &adminv1.SubjectAltName{Name: &adminv1.SubjectAltName_Hostname{Hostname: string(name.Hostname)}}
}
