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

package controller

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/proxy"
)

// load asks a proxy again and again, from several clients at once, and keeps what came back.
type load struct {
	t       *testing.T
	client  *http.Client
	url     string
	stop    context.CancelFunc
	clients sync.WaitGroup
	// now is a number for what begins now; asked is when each kind of answer was last asked for, in these numbers.
	now atomic.Int64

	mu    sync.Mutex
	asked map[string]int64
}

// startLoad has clients keep a proxy's port busy until the test ends or stop is called.
func startLoad(t *testing.T, p *proxy.Proxy, port uint16, client *http.Client, scheme string) *load {
	t.Helper()
	address, open := p.ListenerAddr(port)
	if !open {
		t.Fatalf("port %d is not open", port)
	}
	ctx, stop := context.WithCancel(t.Context())
	l := &load{t: t, client: client, url: scheme + "://" + address + "/", stop: stop, asked: map[string]int64{}}
	for range 4 {
		l.clients.Go(func() {
			for ctx.Err() == nil {
				begun := l.now.Add(1)
				got := l.ask()
				l.mu.Lock()
				l.asked[got] = max(l.asked[got], begun)
				l.mu.Unlock()
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

func (l *load) end() {
	l.stop()
	l.clients.Wait()
}

// ask gives the status of an answer, with the content of a 200; or the error.
func (l *load) ask() string {
	request, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.url, nil)
	if err != nil {
		return err.Error()
	}
	request.Host = "a.test"
	response, err := l.client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Sprint(response.StatusCode)
	}
	return fmt.Sprint(response.StatusCode, " ", string(content))
}

// answers are all kinds of answers that were got, each with when it was last asked for.
func (l *load) answers() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.asked)
}

// goesOn waits until more requests were answered that began after now.
func (l *load) goesOn(g *WithT) {
	from := l.now.Load()
	g.Eventually(l.now.Load).WithTimeout(patient).Should(BeNumerically(">", from+500))
}

// tally counts the answers to a number of requests, one after the other.
func (l *load) tally(requests int) map[string]int {
	counts := map[string]int{}
	for range requests {
		counts[l.ask()]++
	}
	return counts
}

// keptClient keeps a connection for each of the load's clients.
func keptClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patient}
}

func named(t *testing.T, name string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
	t.Cleanup(server.Close)
	return server
}

// A grant that is deleted, and a Service, under the load of a real proxy: what they let pass stops at once, the share of the other
// backend is served on, and the lost one's answers 500 to the request.
func TestGrantDeletedUnderLoad(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace, vault := w.tenant(t), w.tenant(t)
	gateway, route := httpGateway(namespace, "web"), routeTo(namespace, "shop", "web", "own")
	foreign := route.Spec.Rules[0].BackendRefs[0]
	foreign.Name, foreign.Namespace = "foreign", new(gatewayv1.Namespace(vault))
	route.Spec.Rules[0].BackendRefs = append(route.Spec.Rules[0].BackendRefs, foreign)
	grant := func() *gatewayv1.ReferenceGrant {
		return &gatewayv1.ReferenceGrant{
			ObjectMeta: metav1.ObjectMeta{Namespace: vault, Name: "open"},
			Spec: gatewayv1.ReferenceGrantSpec{
				From: []gatewayv1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: "HTTPRoute", Namespace: gatewayv1.Namespace(namespace)}},
				To:   []gatewayv1.ReferenceGrantTo{{Kind: "Service"}},
			},
		}
	}
	ownService, ownSlice := backendService(namespace, "own")
	service, slice := backendService(vault, "foreign")
	w.servedBy(t, ownSlice, named(t, "own"))
	w.servedBy(t, slice, named(t, "foreign"))
	open := grant()
	w.create(t, ownService, ownSlice, service, slice, open, gateway, route)
	p := w.serve(t, gateway)
	g.Eventually(func() bool { _, there := p.ListenerAddr(80); return there }).WithTimeout(patient).Should(BeTrue())

	both, half := map[string]int{"200 own": 50, "200 foreign": 50}, map[string]int{"200 own": 50, "500": 50}
	quiet := &load{t: t, client: keptClient(t)}
	address, _ := p.ListenerAddr(80)
	quiet.url = "http://" + address + "/"
	serves := func(want map[string]int) {
		t.Helper()
		g.Eventually(func() map[string]int { return quiet.tally(100) }).WithTimeout(patient).Should(Equal(want))
	}
	serves(both)
	for what, loss := range map[string]struct {
		take func() error
		mend func()
	}{
		"the grant": {
			take: func() error { return w.Delete(t.Context(), open) },
			mend: func() { open = grant(); w.create(t, open) },
		},
		"the Service": {
			take: func() error { return w.Delete(t.Context(), service) },
			mend: func() { service, _ = backendService(vault, "foreign"); w.create(t, service) },
		},
	} {
		under := startLoad(t, p, 80, keptClient(t), "http")
		under.goesOn(g)
		_, before := p.Table()
		g.Expect(loss.take()).To(Succeed())
		began := time.Now()
		g.Eventually(func() string { _, hash := p.Table(); return hash }).WithTimeout(patient).WithPolling(time.Millisecond).ShouldNot(Equal(before))
		swapped, after := under.now.Load(), time.Since(began)
		under.goesOn(g)
		under.end()
		t.Logf("%s: the table without it served %v after its deletion", what, after)
		answers := under.answers()
		g.Expect(answers).To(HaveKey("500"), what)
		g.Expect(answers).To(HaveLen(3), "nothing but both backends and the lost share's 500: %v", answers)
		// What the last number was given to may have begun before the swap.
		g.Expect(answers["200 foreign"]).To(BeNumerically("<=", swapped), "no request that began after the swap was let through")
		serves(half)
		loss.mend()
		serves(both)
	}
}

// A certificate that changes, breaks and is mended under load: new handshakes show the new one, kept connections stay, and of a
// Secret that breaks the last good one goes on.
func TestCertificateChangesUnderLoad(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway := httpsGateway(namespace, "web", gatewayv1.SecretObjectReference{Name: "tls"})
	service, slice := backendService(namespace, "own")
	w.servedBy(t, slice, named(t, "own"))
	secret := tlsSecret(t, namespace, "tls")
	w.create(t, service, slice, secret, gateway, routeTo(namespace, "shop", "web", "own"))
	p := w.serve(t, gateway)
	address := ""
	g.Eventually(func() bool { at, there := p.ListenerAddr(443); address = at; return there }).WithTimeout(patient).Should(BeTrue())

	// shows asks for the certificate of a new handshake.
	shows := func() ([]byte, error) {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, ServerName: "a.test"})
		if err != nil {
			return nil, err
		}
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].Raw, nil
	}
	of := func(secret *corev1.Secret) []byte {
		pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
		g.Expect(err).NotTo(HaveOccurred())
		return pair.Certificate[0]
	}
	g.Eventually(shows).WithTimeout(patient).Should(Equal(of(secret)))

	handshakes := atomic.Int64{}
	transport := &http.Transport{MaxIdleConnsPerHost: 8, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		ServerName: "a.test", InsecureSkipVerify: true,
		VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error { handshakes.Add(1); return nil },
	}}
	t.Cleanup(transport.CloseIdleConnections)
	under := startLoad(t, p, 443, &http.Client{Transport: transport, Timeout: patient}, "https")
	under.goesOn(g)
	kept := handshakes.Load()
	for range 3 {
		secret.Data = tlsSecret(t, namespace, "tls").Data
		g.Expect(w.Update(t.Context(), secret)).To(Succeed())
		began := time.Now()
		g.Eventually(shows).WithTimeout(patient).WithPolling(time.Millisecond).Should(Equal(of(secret)))
		t.Logf("a new handshake shows the new certificate after %v", time.Since(began))
	}
	good := of(secret)
	secret.Data[corev1.TLSPrivateKeyKey] = []byte("nonsense")
	g.Expect(w.Update(t.Context(), secret)).To(Succeed())
	g.Eventually(w.listenerCondition(t, gateway, gatewayv1.ListenerConditionResolvedRefs)).WithTimeout(patient).Should(HaveField("Reason", "InvalidCertificateRef"))
	under.goesOn(g)
	g.Expect(shows()).To(Equal(good), "the last good certificate goes on")
	secret.Data = tlsSecret(t, namespace, "tls").Data
	g.Expect(w.Update(t.Context(), secret)).To(Succeed())
	g.Eventually(shows).WithTimeout(patient).Should(Equal(of(secret)))
	g.Eventually(w.listenerCondition(t, gateway, gatewayv1.ListenerConditionResolvedRefs)).WithTimeout(patient).Should(isTrue())
	under.goesOn(g)
	under.end()
	g.Expect(under.answers()).To(And(HaveLen(1), HaveKey("200 own")), "not one request failed")
	g.Expect(handshakes.Load()).To(Equal(kept), "no connection was cut")
}
