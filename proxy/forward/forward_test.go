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

package forward

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/filter"
	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/route"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

func TestHasDotSegment(t *testing.T) {
	tests := map[string]struct {
		reason, path string
		want         bool
	}{
		"none":          {"an ordinary path", "/a/b", false},
		"two":           {"/a/../b is /b to some and not to others", "/a/../b", true},
		"one":           {"so is /a/./b", "/a/./b", true},
		"at the end":    {"the last segment counts", "/a/..", true},
		"escaped":       {"%2e is a dot", "/a/%2e%2E/b", true},
		"half escaped":  {"also together with a plain one", "/a/.%2e/b", true},
		"escaped slash": {"some decode %2F before they look for segments", "/a/..%2Fb", true},
		"between them":  {"on both sides", "/a%2f%2e%2E%2fb", true},
		"backslash":     {"%5C is a separator to some", "/a/..%5cb", true},
		"slash alone":   {"an escaped slash is no dot", "/a%2Fb%2F", false},
		"cut slash":     {"half an escape is no slash", "/a..%2", false},
		"three":         {"three dots are a name", "/a/.../b", false},
		"hidden file":   {"so is a dot before a name", "/.well-known/x", false},
		"after a name":  {"and one behind it", "/a../b", false},
		"other escape":  {"%20 is no dot", "/%20/..%20", false},
		"cut escape":    {"half an escape is no dot", "/%2", false},
		"asterisk form": {"OPTIONS * has no segments", "*", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := hasDotSegment(test.path); got != test.want {
				t.Errorf("%s: got %t", test.reason, got)
			}
		})
	}
}

// scripted answers each attempt with the next of its errors, then with 200.
type scripted struct {
	errors   []error
	attempts int
}

func (s *scripted) RoundTrip(
	context.Context, *message.Request, func(int, *message.Fields) error,
) (*message.Response, error) {
	s.attempts++
	if len(s.errors) > 0 {
		err := s.errors[0]
		s.errors = s.errors[1:]
		return nil, err
	}
	return &message.Response{Status: 200}, nil
}

func (s *scripted) Close() {}

// answers records what a client gets.
type answers struct {
	status int
	fail   error
}

func (a *answers) Inform(int, *message.Fields) error { return nil }

func (a *answers) Respond(response *message.Response) error {
	a.status = response.Status
	return a.fail
}

func (a *answers) Interrupt() {}

func (a *answers) Upgrade(*message.Response) (io.ReadWriteCloser, error) {
	return nil, errors.New("not in these tests")
}

type outcomes []Outcome

func (o *outcomes) Record(outcome Outcome) { *o = append(*o, outcome) }

// lateError is a timeout after the request was sent.
type lateError struct{}

func (lateError) Error() string   { return "late" }
func (lateError) Timeout() bool   { return true }
func (lateError) Temporary() bool { return false }

func TestAttempts(t *testing.T) {
	refused := &message.ConnectError{Err: errors.New("refused")}
	late := &message.ConnectError{Err: errors.New("late"), Timeout: true}
	broken := errors.New("connection reset")
	tests := map[string]struct {
		reason    string
		endpoints int
		errors    []error
		gone      bool
		fail      error
		attempts  int
		status    int
		want      Outcome
	}{
		"first": {
			reason: "an endpoint that answers is the only one asked", endpoints: 3,
			attempts: 1, status: 200, want: Outcome{200, ReasonOK},
		},
		"second": {
			reason: "nothing was sent, so the next endpoint gets the request", endpoints: 3, errors: []error{refused},
			attempts: 2, status: 200, want: Outcome{200, ReasonOK},
		},
		"all": {
			reason: "no endpoint is asked twice", endpoints: 2, errors: []error{refused, refused, refused},
			attempts: 2, status: 502, want: Outcome{502, ReasonConnect},
		},
		"three at most": {
			reason: "a backend that is down must not cost a dial per endpoint", endpoints: 9,
			errors:   []error{refused, refused, refused, refused, refused},
			attempts: 3, status: 502, want: Outcome{502, ReasonConnect},
		},
		"connect timeout": {
			reason: "the last attempt says what it was", endpoints: 1, errors: []error{late},
			attempts: 1, status: 504, want: Outcome{504, ReasonTimeout},
		},
		"sent": {
			reason: "a request that may have been sent is never sent again", endpoints: 3, errors: []error{broken},
			attempts: 1, status: 502, want: Outcome{502, ReasonUpstream},
		},
		"response timeout": {
			reason: "nor is one that was answered too late", endpoints: 3, errors: []error{lateError{}},
			attempts: 1, status: 504, want: Outcome{504, ReasonTimeout},
		},
		"none": {
			reason: "no endpoint is 503", endpoints: 0,
			attempts: 0, status: 503, want: Outcome{503, ReasonNoEndpoint},
		},
		"client gone": {
			reason: "there is nobody to answer, and no reason to go on", endpoints: 3, errors: []error{refused}, gone: true,
			attempts: 1, status: 0, want: Outcome{0, ReasonClient},
		},
		"client's content": {
			reason: "content that cannot be read is not the endpoint's fault", endpoints: 3,
			errors:   []error{&message.ContentError{Status: 400, Err: broken}},
			attempts: 1, status: 400, want: Outcome{400, ReasonClient},
		},
		"client's content, too slow": {
			reason: "the client is told what is wrong with it", endpoints: 3,
			errors:   []error{&message.ContentError{Status: 408, Err: broken}},
			attempts: 1, status: 408, want: Outcome{408, ReasonClient},
		},
		"client gone while it is answered": {
			reason: "the response was begun", endpoints: 1, fail: errors.New("broken pipe"),
			attempts: 1, status: 200, want: Outcome{200, ReasonClient},
		},
		"endpoint breaks off in its content": {
			reason: "the response was begun, and is not whole", endpoints: 1, fail: &message.BodyError{Err: broken},
			attempts: 1, status: 200, want: Outcome{200, ReasonUpstream},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			script := &scripted{errors: test.errors}
			pool := upstream.NewPool(upstream.Options{Connect: func(upstream.Target) upstream.Transport { return script }, ProbePause: time.Hour})
			addresses := make([]netip.AddrPort, test.endpoints)
			for i := range addresses {
				addresses[i] = netip.AddrPortFrom(netip.IPv6Loopback(), uint16(i+1))
			}
			recorded := &outcomes{}
			handler := New(recorded)
			rule := &Rule{Split: upstream.NewSplit([]int{1}), Shares: []Share{{Backend: 0}}}
			handler.Swap(&Table{
				Routes: route.Build([]route.Listener{{Name: "l", Port: 80}}, []route.Route[*Rule]{{
					Attachments: []route.Attachment{{Listener: "l"}},
					Rules:       []route.Rule[*Rule]{{Matches: []route.Match{{Path: "/"}}, Value: rule}},
				}}),
				Backends: []*upstream.Backend{upstream.NewBackend("b", pool.Endpoints(addresses, upstream.Target{}), nil, nil)},
			})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if test.gone {
				cancel()
			}
			client := &answers{fail: test.fail}
			request := &message.Request{Method: "POST", Path: "/", Authority: "h"}
			Port{Handler: handler, Number: 80}.Handle(ctx, request, client)
			if script.attempts != test.attempts || client.status != test.status {
				t.Errorf("%s: %d attempts and status %d, want %d and %d",
					test.reason, script.attempts, client.status, test.attempts, test.status)
			}
			if diff := cmp.Diff(outcomes{test.want}, *recorded); diff != "" {
				t.Errorf("%s: recorded (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

// Where a rewrite begins with a path without segments of dots, it ends with one.
func TestRewritesMakeNoDots(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	pieces := []string{"/", "/", ".", "..", "%2e", "%2E.", "%2F", "%5c", "a", "%61"}
	tried := 0
	for range 20_000 {
		path := "/"
		for range random.IntN(8) {
			path += pieces[random.IntN(len(pieces))]
		}
		if hasDotSegment(path) {
			continue
		}
		tried++
		for _, prefix := range []string{"", "/x", "/x/y"} {
			request := &message.Request{Path: path}
			rewrite := filter.Rewrite{Path: &filter.Path{Prefix: prefix, Elements: random.IntN(4)}}
			rewrite.Apply(&filter.Exchange{Request: request})
			if hasDotSegment(request.Path) || !strings.HasPrefix(request.Path, "/") || !strings.HasPrefix(request.Path, prefix) {
				t.Fatalf("%s becomes %s", path, request.Path)
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d paths were tried", tried)
	}
}
