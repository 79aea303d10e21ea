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

package proxy

import (
	"bufio"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// town is a proxy with neighbours: requests of every kind of client, for paths and with content that are each one's own,
// which endpoints give back. Whatever comes to one of them that is not its own fails the test.
type town struct {
	testing.TB
	proxy          *Proxy
	plain, secured string
	trusted        *x509.CertPool

	kinds   map[string]*http.Transport
	leaving atomic.Bool
	all     sync.WaitGroup
	asked   atomic.Int64
	halves  chan struct{} // told when a response has been sent to its half
}

// found makes a town in which /<name>/ leads to the backends of that name; those of second speak HTTP/2.
func found(t testing.TB, ca *testca.CA, first, second map[string]string, change ...func(*Config)) *town {
	t.Helper()
	b := new(table).certificate(t, ca, "c", "a.test").listener("l", 80, "").secured("s", 443, "", "c")
	for name, at := range first {
		b.backend(name, at).route("l-"+name, "l", "/"+name, name).route("s-"+name, "s", "/"+name, name)
	}
	for name, at := range second {
		b.second(name, at).route("l-"+name, "l", "/"+name, name).route("s-"+name, "s", "/"+name, name)
	}
	p := start(t, b.resources, change...)
	town := &town{TB: t, proxy: p, plain: address(t, p, 80), secured: address(t, p, 443), trusted: roots(ca)}
	town.kinds = town.clients()
	return town
}

// clients are one of each kind.
func (n *town) clients() map[string]*http.Transport {
	kinds := map[string]*http.Transport{
		"HTTP/1.1":           firstClient(n.plain, nil),
		"HTTP/1.1 over TLS":  firstClient(n.secured, n.trusted),
		"HTTP/2":             secondClient(n.plain, nil),
		"HTTP/2 over TLS":    secondClient(n.secured, n.trusted),
		"one request a time": firstClient(n.secured, n.trusted),
	}
	kinds["one request a time"].DisableKeepAlives = true
	return kinds
}

// firstClient speaks HTTP/1.1.
func firstClient(at string, trusted *x509.CertPool) *http.Transport {
	client := secondClient(at, trusted)
	client.Protocols = new(http.Protocols)
	client.Protocols.SetHTTP1(true)
	return client
}

// errForeign says that a response looks whole and right, but is not what was asked for.
var errForeign = errors.New("foreign bytes")

// settle has a neighbour of each kind ask the backends of the names, until the town is left. None of them may fail.
func (n *town) settle(names ...string) {
	n.populate(names, func(err error) bool { return err != nil })
}

// endanger does so with backends that break their connections off: requests may fail there, and be seen to.
func (n *town) endanger(names ...string) {
	n.populate(names, func(err error) bool { return errors.Is(err, errForeign) })
}

func (n *town) populate(names []string, wrong func(error) bool) {
	for kind, transport := range n.kinds {
		for _, name := range names {
			n.all.Go(func() {
				for i := 0; !n.leaving.Load(); i++ {
					path, began := fmt.Sprintf("/%s/mine/%s/%d", name, strings.ReplaceAll(kind, " ", "-"), i), time.Now()
					if err := n.ask(transport, path); wrong(err) {
						n.Errorf("a neighbour: %s: %v", path, err)
						return
					}
					// The strangers need the machine as well, and most of one that is slow.
					time.Sleep(max(10*time.Millisecond, 2*time.Since(began)))
				}
			})
		}
	}
}

// ask sends one request of a neighbour.
func (n *town) ask(transport *http.Transport, path string) error {
	content := strings.Repeat(path+" ", 1+len(path)*int(n.asked.Load()%10))
	status, got, err := n.post(transport, path, content)
	switch {
	case err != nil:
		return err
	case status != 200:
		return fmt.Errorf("answered %d", status)
	case got != path+"|"+content:
		return fmt.Errorf("%w: %d bytes for %d: %.200q", errForeign, len(got), len(path)+1+len(content), got)
	}
	return nil
}

// post sends one request, with content that cannot be sent again, so that its client repeats nothing.
func (n *town) post(transport *http.Transport, path, content string) (status int, got string, err error) {
	scheme := "http"
	if transport.TLSClientConfig.RootCAs != nil {
		scheme = "https"
	}
	request, _ := http.NewRequest(http.MethodPost, scheme+"://a.test"+path, io.MultiReader(strings.NewReader(content)))
	n.asked.Add(1)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	all, err := io.ReadAll(response.Body)
	return response.StatusCode, string(all), err
}

// leave ends the neighbours, and checks that their requests and as many strange ones were each counted once.
func (n *town) leave(strange int64) {
	n.Helper()
	n.leaving.Store(true)
	n.all.Wait()
	for _, transport := range n.kinds {
		transport.CloseIdleConnections()
	}
	want := uint64(n.asked.Load() + strange)
	deadline := time.Now().Add(patience)
	for n.counted() != want && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if counted := n.counted(); counted != want {
		n.Errorf("counted %d requests, want %d: %v", counted, want, n.proxy.Requests())
	}
}

// counted is how many requests have ended.
func (n *town) counted() uint64 {
	total := uint64(0)
	for _, count := range n.proxy.Requests() {
		total += count
	}
	return total
}

// mirror is an endpoint with HTTP/1.1 that answers neighbours; strangers get what answer gives for them, which says
// whether the connection goes on.
func mirror(t testing.TB, stranger func(conn net.Conn, request *http.Request, content string) bool) string {
	t.Helper()
	respond := func(conn net.Conn, reader *bufio.Reader) bool {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return false
		}
		content, err := io.ReadAll(request.Body)
		if err != nil {
			return false
		}
		if !strings.Contains(request.URL.Path, "/mine/") {
			return stranger(conn, request, string(content))
		}
		say(conn, mirrored(request.URL.Path, string(content)))
		return true
	}
	return endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		for respond(conn, reader) {
		}
	})
}

// mirrored gives a request back, with one framing or the other.
func mirrored(path, content string) string {
	text := path + "|" + content
	if len(content)%2 == 0 {
		return answer(200, text)
	}
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(text), text)
}

// secondMirror is mirror for HTTP/2. Strangers come twice, as secondEndpoint has it.
func secondMirror(t testing.TB, stranger func(s *speaker, a *asked) bool) string {
	t.Helper()
	return secondEndpoint(t, func(s *speaker, a *asked) bool {
		switch {
		case !strings.Contains(a.path, "/mine/"):
			return stranger(s, a)
		case a.begun:
			return true
		}
		s.send(inFrames(a.id, a.path+"|"+a.content.String()))
		return true
	})
}

// inFrames answers with frames of the size that is always allowed.
func inFrames(id uint32, text string) *script {
	s := newScript().head(id, false, ":status", "200")
	for ; len(text) > 16<<10; text = text[16<<10:] {
		s.data(id, false, text[:16<<10])
	}
	return s.data(id, true, text)
}

// leavesNothing runs a test in a town of its own: afterwards nothing may be left that was not there before.
func leavesNothing(t *testing.T, round func(t *testing.T)) {
	t.Helper()
	warm := func(t *testing.T) {
		first, second := givesBack(t)
		n := found(t, testca.New(t), map[string]string{"first": first}, map[string]string{"second": second})
		for _, transport := range n.kinds {
			if err := errors.Join(n.ask(transport, "/first/mine/"), n.ask(transport, "/second/mine/")); err != nil {
				t.Fatal(err)
			}
		}
		n.leave(0)
	}
	if !t.Run("warm", warm) { // What is made once in a process is made by now.
		return
	}
	goroutines, open := runtime.NumGoroutine(), descriptors(t)
	t.Run("town", round)
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "as few descriptors as before", func() bool { return descriptors(t) <= open })
}

// givesBack are endpoints that answer everybody as they do neighbours.
func givesBack(t testing.TB) (first, second string) {
	first = mirror(t, func(conn net.Conn, request *http.Request, content string) bool {
		say(conn, mirrored(request.URL.Path, content))
		return true
	})
	second = secondMirror(t, func(s *speaker, a *asked) bool {
		if !a.begun {
			s.send(inFrames(a.id, a.path+"|"+a.content.String()))
		}
		return true
	})
	return first, second
}
