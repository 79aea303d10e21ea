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
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// download is a response that an endpoint may end anywhere.
type download struct {
	name string
	sent string
	want string
	// ends are where its frames end; none with HTTP/1.1.
	ends []int
}

// downloads with HTTP/1.1.
func downloads() []download {
	return []download{
		{"length", answer(200, "hello world"), "hello world", nil},
		{"interim", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(200, "hello world"), "hello world", nil},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n", "hello world", nil},
	}
}

// secondDownloads are those with HTTP/2, for a stream.
func secondDownloads(id uint32) []download {
	of := func(name string, s *script) download { return download{name, s.text(), "hello world", s.ends} }
	return []download{
		of("length", newScript().head(id, false, ":status", "200", "content-length", "11").data(id, false, "hello").data(id, true, " world")),
		of("interim", newScript().head(id, false, ":status", "103", "link", "</x>").head(id, false, ":status", "200").data(id, true, "hello world")),
		of("trailers", newScript().head(id, false, ":status", "200").data(id, false, "hello ").data(id, false, "world").head(id, true, "x-sum", "11")),
	}
}

// order is what a client wants its endpoint to do.
type order struct {
	backend, kind string
	size          int
	how           int
}

func (o order) path() string {
	return fmt.Sprintf("/%s/cut/%s/%d/%d", o.backend, o.kind, o.size, o.how)
}

func ordered(path string) order {
	var o order
	_, _ = fmt.Sscanf(strings.ReplaceAll(path, "/", " "), " %s cut %s %d %d", &o.backend, &o.kind, &o.size, &o.how)
	return o
}

func named(all []download, name string) download {
	for _, d := range all {
		if d.name == name {
			return d
		}
	}
	return download{}
}

// obtain asks for what an order says, and gives whether it was answered whole.
func (n *town) obtain(t *testing.T, kind string, o order, want string) bool {
	t.Helper()
	status, got, err := n.post(n.kinds[kind], o.path(), "hello")
	whole := err == nil && status == 200
	switch {
	case whole && got != want:
		t.Errorf("%s: %+v: %q was taken for whole", kind, o, got)
	case !strings.HasPrefix(want, got) && status == 200:
		t.Errorf("%s: %+v: foreign bytes: %q", kind, o, got)
	case err == nil && status != 200 && status != 502:
		t.Errorf("%s: %+v: got %d", kind, o, status)
	}
	return whole
}

// errand is an order that a kind of client gives.
type errand struct {
	by string
	order
	of download
}

// everywhere are the orders to end each download after each number of bytes, in as many chains as there are frail endpoints. Those of a
// chain are given one after the other.
func everywhere(kinds, frails []string, chance *rand.Rand) [][]errand {
	all := make([][]errand, len(frails))
	for i := range frails {
		for _, backend := range []string{"kind", frails[i]} {
			for _, d := range map[string][]download{"kind": downloads(), frails[i]: secondDownloads(1)}[backend] {
				for size := i; size <= len(d.sent); size += len(frails) {
					for how := range 2 {
						all[i] = append(all[i], errand{kinds[chance.IntN(len(kinds))], order{backend, d.name, size, how}, d})
					}
				}
			}
		}
	}
	return all
}

// Endpoints of each kind that end their connection after any number of bytes of a response cost that request alone: it is
// seen to have failed, once, and those who use other connections notice nothing.
func TestEndpointsThatBreakOffAnywhere(t *testing.T) {
	const chains = 4
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		var took sync.Map // orders that an endpoint took
		kind := mirror(t, func(conn net.Conn, request *http.Request, _ string) bool {
			o := ordered(request.URL.Path)
			took.Store(o, true)
			say(conn, named(downloads(), o.kind).sent[:o.size])
			if o.how == 1 {
				abort(conn)
			}
			return false
		})
		breaks := func(s *speaker, a *asked) bool {
			if a.begun {
				return true
			}
			o := ordered(a.path)
			took.Store(o, true)
			s.sendText(named(secondDownloads(a.id), o.kind).sent[:o.size])
			if o.how == 1 {
				s.mu.Lock()
				abort(s.conn)
				s.mu.Unlock()
			}
			return false
		}
		first, second := givesBack(t)
		seconds, frails := map[string]string{"second": second}, make([]string, chains)
		for i := range frails { // With HTTP/2 one order ends the connection of all, so each chain of them has an endpoint of its own.
			frails[i] = fmt.Sprint("frail-", i)
			seconds[frails[i]] = secondMirror(t, breaks)
		}
		n := found(t, ca, map[string]string{"first": first, "kind": kind}, seconds)
		n.settle("first", "second", "kind")
		n.endanger(frails...)
		var giving sync.WaitGroup
		for _, errands := range everywhere(slices.Sorted(maps.Keys(n.kinds)), frails, dice(t)) {
			giving.Go(func() {
				for _, e := range errands {
					whole := n.obtain(t, e.by, e.order, e.of.want)
					// It may have been sent on the connection of the order before, whose end had not come yet.
					for _, taken := took.Load(e.order); !taken && !whole; _, taken = took.Load(e.order) {
						whole = n.obtain(t, e.by, e.order, e.of.want)
					}
					if whole != (e.size == len(e.of.sent)) {
						t.Errorf("%s: %+v of %d: whole: %t", e.by, e.order, len(e.of.sent), whole)
					}
				}
			})
		}
		giving.Wait()
		n.leave(0)
	})
}

// Endpoints that reset a stream after any number of its frames, or leave, cost the other streams of their connection
// nothing.
func TestEndpointsThatResetAnywhere(t *testing.T) {
	ca := testca.New(t)
	const leaves = 14
	leavesNothing(t, func(t *testing.T) {
		second := secondMirror(t, func(s *speaker, a *asked) bool {
			if a.begun {
				return true
			}
			o := ordered(a.path)
			d := named(secondDownloads(a.id), o.kind)
			s.sendText(d.sent[:o.size])
			if o.how < leaves {
				s.send(newScript().reset(a.id, http2.ErrCode(o.how)))
				return true
			}
			left := newScript()
			_ = left.framer.WriteGoAway(1<<31-1, http2.ErrCode(o.how-leaves), nil)
			s.send(left)
			s.sendText(d.sent[o.size:])
			return true
		})
		n := found(t, ca, nil, map[string]string{"second": second})
		n.settle("second")
		chance := dice(t)
		for _, kind := range slices.Sorted(maps.Keys(n.kinds)) {
			for _, d := range secondDownloads(1) {
				for frames := range len(d.ends) + 1 {
					size := append([]int{0}, d.ends...)[frames]
					for range 4 {
						o := order{"second", d.name, size, chance.IntN(2 * leaves)}
						if whole := n.obtain(t, kind, o, d.want); whole != (o.how >= leaves || size == len(d.sent)) {
							t.Errorf("%s: %+v of %d: whole: %t", kind, o, len(d.sent), whole)
						}
					}
				}
			}
		}
		n.leave(0)
	})
}
