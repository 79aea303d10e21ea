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

package feature

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// securedBackend answers with the SNI that it was asked for, the protocol, and who the client says it is. It proves itself with a
// certificate for the hosts, of which those with a scheme are URIs.
func securedBackend(t *testing.T, names ...string) (server *httptest.Server, authorities []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "backend"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	for _, name := range names {
		if uri, err := url.Parse(name); err == nil && uri.Scheme != "" {
			template.URIs = append(template.URIs, uri)
			continue
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := ""
		for _, certificate := range r.TLS.PeerCertificates {
			client = certificate.DNSNames[0]
		}
		_, _ = io.WriteString(w, r.TLS.ServerName+" "+r.Proto+" "+client)
	}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: private}}, ClientAuth: tls.RequestClientCert,
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}

// secureBy adds a BackendTLSPolicy for a Service, and its authorities in a ConfigMap of the same name.
func (h *house) secureBy(service, hostname string, authorities []byte, names ...gatewayv1.SubjectAltName) *gatewayv1.BackendTLSPolicy {
	policy := &gatewayv1.BackendTLSPolicy{}
	policy.Namespace, policy.Name = namespace, service
	target := gatewayv1.LocalPolicyTargetReferenceWithSectionName{}
	target.Kind, target.Name = "Service", gatewayv1.ObjectName(service)
	policy.Spec.TargetRefs = append(policy.Spec.TargetRefs, target)
	policy.Spec.Validation = gatewayv1.BackendTLSPolicyValidation{
		Hostname: gatewayv1.PreciseHostname(hostname), SubjectAltNames: names,
		CACertificateRefs: []gatewayv1.LocalObjectReference{{Kind: "ConfigMap", Name: gatewayv1.ObjectName(service)}},
	}
	h.input.ConfigMaps[types.NamespacedName{Namespace: namespace, Name: service}] = &corev1.ConfigMap{Data: map[string]string{"ca.crt": string(authorities)}}
	h.input.BackendTLSPolicies = append(h.input.BackendTLSPolicies, policy)
	return policy
}

func TestBackendsOverTLS(t *testing.T) {
	uri := func(uri string) gatewayv1.SubjectAltName {
		return gatewayv1.SubjectAltName{Type: gatewayv1.URISubjectAltNameType, URI: gatewayv1.AbsoluteURI(uri)}
	}
	host := func(name string) gatewayv1.SubjectAltName {
		return gatewayv1.SubjectAltName{Type: gatewayv1.HostnameSubjectAltNameType, Hostname: gatewayv1.Hostname(name)}
	}
	server, authorities := securedBackend(t, "a.test", "spiffe://a.test/b")
	strange, _ := topologytest.KeyPair(t, "a.test")
	const good, broken = http.StatusOK, http.StatusBadGateway
	cases := map[string]struct {
		reason      string
		hostname    string
		authorities []byte
		names       []gatewayv1.SubjectAltName
		appProtocol string
		want        answer
	}{
		"the hostname":     {reason: "SNI and name are the policy's, whatever the request asks for", hostname: "a.test", authorities: authorities, want: answer{good, "a.test HTTP/1.1 "}},
		"another hostname": {reason: "the endpoint has to have the name", hostname: "b.test", authorities: authorities, want: answer{status: broken}},
		"a stranger":       {reason: "and somebody who vouches for it", hostname: "a.test", authorities: strange, want: answer{status: broken}},
		"a URI":            {reason: "with names the hostname is for SNI alone", hostname: "b.test", authorities: authorities, names: []gatewayv1.SubjectAltName{uri("spiffe://a.test/b")}, want: answer{good, "b.test HTTP/1.1 "}},
		"one of several":   {reason: "one name is enough", hostname: "a.test", authorities: authorities, names: []gatewayv1.SubjectAltName{uri("spiffe://x"), host("a.test")}, want: answer{good, "a.test HTTP/1.1 "}},
		"no name":          {reason: "the hostname is none of the names", hostname: "a.test", authorities: authorities, names: []gatewayv1.SubjectAltName{uri("spiffe://x"), host("c.test")}, want: answer{status: broken}},
		"HTTP/2":           {reason: "appProtocol chooses the protocol over TLS too", hostname: "a.test", authorities: authorities, appProtocol: "kubernetes.io/h2c", want: answer{good, "a.test HTTP/2.0 "}},
		"https":            {reason: "https needs a policy and has one", hostname: "a.test", authorities: authorities, appProtocol: "https", want: answer{good, "a.test HTTP/1.1 "}},
		"no authority":     {reason: "a policy that cannot be followed answers 500", hostname: "a.test", authorities: []byte("none"), want: answer{status: http.StatusInternalServerError}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, listener("http", 80, ""))
			h.service(namespace, "a", server)
			if c.appProtocol != "" {
				h.input.Services[types.NamespacedName{Namespace: namespace, Name: "a"}].Spec.Ports[0].AppProtocol = &c.appProtocol
			}
			h.secureBy("a", c.hostname, c.authorities, c.names...)
			h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))
			h.settle()
			got := h.get(80, "request.test", "/")
			if c.want.body == "" {
				got.body = ""
			}
			if got != c.want {
				t.Errorf("%s: got %v, want %v", c.reason, got, c.want)
			}
		})
	}
}

// TestBackendTLSPolicyComesAndGoes changes what a backend is spoken to with, under the requests of another one.
func TestBackendTLSPolicyComesAndGoes(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	server, authorities := securedBackend(t, "a.test")
	h.service(namespace, "a", server)
	h.service(namespace, "plain", backend(t, "plain"))
	h.attach(route("a", nil, rule(prefix("/a"), to("a", 1)), rule(prefix("/plain"), to("plain", 1))))
	look := func(when string, want int) {
		t.Helper()
		h.settle()
		if got := h.get(80, "a.test", "/a"); got.status != want {
			t.Errorf("%s: got %v, want %d", when, got, want)
		}
		if got := h.get(80, "a.test", "/plain"); got != (answer{200, "plain"}) {
			t.Errorf("%s: the neighbour answers %v", when, got)
		}
	}
	look("clear text to a backend of TLS", http.StatusBadRequest)
	policy := h.secureBy("a", "a.test", authorities)
	look("a policy", http.StatusOK)
	policy.Spec.Validation.Hostname = "b.test"
	look("another hostname: no connection of before may be used", http.StatusBadGateway)
	policy.Spec.Validation.Hostname = "a.test"
	look("the hostname again", http.StatusOK)
	h.input.ConfigMaps[types.NamespacedName{Namespace: namespace, Name: "a"}].Data = nil
	look("a bundle that is gone", http.StatusInternalServerError)
	h.input.BackendTLSPolicies = nil
	look("no policy", http.StatusBadRequest)
}

// TestBackendClientCertificate: the Gateway proves itself to backends that ask, with the certificate that it has now.
func TestBackendClientCertificate(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	server, authorities := securedBackend(t, "a.test")
	h.service(namespace, "a", server)
	h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))
	h.secureBy("a", "a.test", authorities)
	look := func(want string) {
		t.Helper()
		h.settle()
		if got := h.get(80, "a.test", "/"); got != (answer{200, "a.test HTTP/1.1 " + want}) {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	look("")
	h.secret(namespace, "own", "one.test")
	h.input.Gateway.Spec.TLS = &gatewayv1.GatewayTLSConfig{Backend: &gatewayv1.GatewayBackendTLS{ClientCertificateRef: &gatewayv1.SecretObjectReference{Name: "own"}}}
	look("one.test")
	h.secret(namespace, "own", "two.test")
	look("two.test")
	own := h.input.Secrets[types.NamespacedName{Namespace: namespace, Name: "own"}]
	h.input.Secrets[types.NamespacedName{Namespace: namespace, Name: "own"}] = &topology.TLSSecret{Fault: "is broken"}
	look("two.test")
	h.input.Secrets[types.NamespacedName{Namespace: namespace, Name: "own"}] = own
	h.input.Gateway.Spec.TLS = nil
	look("")
}
