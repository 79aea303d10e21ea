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
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// streamPatience is how long an answer may take before a test gives up.
const streamPatience = 10 * time.Second

func streamListener(name string, port int32, protocol gatewayv1.ProtocolType, hostname string) gatewayv1.Listener {
	l := listener(name, port, hostname)
	l.Protocol = protocol
	return l
}

func passing(name string, port int32, hostname string) gatewayv1.Listener {
	l := streamListener(name, port, gatewayv1.TLSProtocolType, hostname)
	l.TLS = &gatewayv1.ListenerTLSConfig{Mode: new(gatewayv1.TLSModePassthrough)}
	return l
}

// lines answers each line of a connection with its name and the line.
func lines(t *testing.T, name string, accepting net.Listener) int32 {
	t.Helper()
	t.Cleanup(func() { _ = accepting.Close() })
	go func() {
		for {
			conn, err := accepting.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go func() {
				reader := bufio.NewReader(conn)
				for {
					line, err := reader.ReadString('\n')
					if err != nil {
						return
					}
					_, _ = io.WriteString(conn, name+" "+line)
				}
			}()
		}
	}()
	return int32(accepting.Addr().(*net.TCPAddr).Port)
}

func plainLines(t *testing.T, name string) int32 {
	t.Helper()
	accepting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return lines(t, name, accepting)
}

// securedLines proves itself to be host.
func securedLines(t *testing.T, name, host string) (port int32, trusted *x509.CertPool) {
	t.Helper()
	chain, key := topologytest.KeyPair(t, host)
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	accepting, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	trusted = x509.NewCertPool()
	trusted.AppendCertsFromPEM(chain)
	return lines(t, name, accepting), trusted
}

// datagrams answers each datagram with its name, the address that it came from, and the datagram: while that address is the same,
// so is the session.
func datagrams(t *testing.T, name string) int32 {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		piece := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFrom(piece)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo([]byte(fmt.Sprintf("%s %s %s", name, from, piece[:n])), from)
		}
	}()
	return int32(conn.LocalAddr().(*net.UDPAddr).Port)
}

// streamService is a Service whose port 53 leads to a port of TCP, and to one of UDP; 0 for none of them.
func (h *house) streamService(name string, tcp, udp int32) {
	service := &corev1.Service{}
	service.Namespace, service.Name = namespace, name
	slice := &discoveryv1.EndpointSlice{
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"127.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}}},
	}
	slice.Name = name
	for protocol, port := range map[corev1.Protocol]int32{corev1.ProtocolTCP: tcp, corev1.ProtocolUDP: udp} {
		if port == 0 {
			continue
		}
		named := strings.ToLower(string(protocol))
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: named, Port: 53, Protocol: protocol})
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &named, Port: &port, Protocol: &protocol})
	}
	key := types.NamespacedName{Namespace: namespace, Name: name}
	h.input.Services[key], h.slices[key] = service, []*discoveryv1.EndpointSlice{slice}
}

func parentOf(section gatewayv1.SectionName) gatewayv1.CommonRouteSpec {
	return gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: gatewayName, SectionName: &section}}}
}

func streamTo(service string) gatewayv1.BackendRef {
	ref := to(service, 1).BackendRef
	ref.Port = new(gatewayv1.PortNumber(53))
	return ref
}

func tcpRoute(name string, section gatewayv1.SectionName, services ...string) *gatewayv1.TCPRoute {
	r := &gatewayv1.TCPRoute{}
	r.Namespace, r.Name, r.Spec.CommonRouteSpec = namespace, name, parentOf(section)
	r.Spec.Rules = make([]gatewayv1.TCPRouteRule, 1)
	for _, service := range services {
		r.Spec.Rules[0].BackendRefs = append(r.Spec.Rules[0].BackendRefs, streamTo(service))
	}
	return r
}

func udpRoute(name string, section gatewayv1.SectionName, service string) *gatewayv1.UDPRoute {
	r := &gatewayv1.UDPRoute{}
	r.Namespace, r.Name, r.Spec.CommonRouteSpec = namespace, name, parentOf(section)
	r.Spec.Rules = []gatewayv1.UDPRouteRule{{BackendRefs: []gatewayv1.BackendRef{streamTo(service)}}}
	return r
}

// tlsRoute is for all listeners of the Gateway that have the hostname.
func tlsRoute(name string, hostname gatewayv1.Hostname, service string) *gatewayv1.TLSRoute {
	r := &gatewayv1.TLSRoute{}
	r.Namespace, r.Name, r.Spec.Hostnames = namespace, name, []gatewayv1.Hostname{hostname}
	r.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: gatewayName}}
	r.Spec.Rules = []gatewayv1.TLSRouteRule{{BackendRefs: []gatewayv1.BackendRef{streamTo(service)}}}
	return r
}

// session is a connection, or a client's datagrams.
type session struct {
	t    *testing.T
	conn net.Conn
}

func (h *house) tcp(port uint16) *session {
	h.t.Helper()
	address, bound := h.proxy.ListenerAddr(port)
	if !bound {
		h.t.Fatalf("nothing listens on port %d", port)
	}
	return h.open("tcp", address)
}

func (h *house) udp(port uint16) *session {
	h.t.Helper()
	address, bound := h.proxy.DatagramAddr(port)
	if !bound {
		h.t.Fatalf("no datagrams are taken on port %d", port)
	}
	return h.open("udp", address)
}

func (h *house) open(network, address string) *session {
	h.t.Helper()
	conn, err := (&net.Dialer{Timeout: streamPatience}).DialContext(h.t.Context(), network, address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	return &session{t: h.t, conn: conn}
}

// over has the session over TLS, with somebody who proves to be the host.
func (s *session) over(trusted *x509.CertPool, host string) *session {
	s.t.Helper()
	client := tls.Client(s.conn, &tls.Config{RootCAs: trusted, ServerName: host})
	_ = client.SetDeadline(time.Now().Add(streamPatience))
	if err := client.HandshakeContext(s.t.Context()); err != nil {
		s.t.Fatalf("%s: %v", host, err)
	}
	return &session{t: s.t, conn: client}
}

// ask sends a line, or a datagram, and gives the answer without its end.
func (s *session) ask(text string) string {
	s.t.Helper()
	_ = s.conn.SetDeadline(time.Now().Add(streamPatience))
	if _, err := io.WriteString(s.conn, text+"\n"); err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	piece := make([]byte, 1<<10)
	n, err := s.conn.Read(piece)
	if err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	return strings.TrimSuffix(string(piece[:n]), "\n")
}
