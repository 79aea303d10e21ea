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
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rauta-dev/rauta/proxy/filter"
	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/route"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// maxAttempts is how many endpoints are tried for one request.
const maxAttempts = 3

// Handler forwards requests by the current table.
type Handler struct {
	table    atomic.Pointer[Table]
	recorder Recorder
	mirrors  *mirrors
	retries  retries
	distrust *upstream.Distrust
}

// New makes a handler with an empty table, which answers 404.
func New(recorder Recorder) *Handler {
	h := &Handler{recorder: recorder, mirrors: newMirrors()}
	h.table.Store(&Table{Routes: route.Build[*Rule](nil, nil)})
	return h
}

// Log has it said why TLS with an endpoint did not come about. It is set before requests come.
func (h *Handler) Log(distrust *upstream.Distrust) {
	h.distrust, h.mirrors.distrust = distrust, distrust
}

// Swap makes a table the current one. Requests that have begun keep theirs.
func (h *Handler) Swap(table *Table) { h.table.Store(table) }

// BackendsWith names the current table's backends that have an endpoint, in their order there.
func (h *Handler) BackendsWith(endpoint *upstream.Endpoint) []string {
	var names []string
	for _, backend := range h.table.Load().Backends {
		if backend != nil && backend.Has(endpoint) {
			names = append(names, backend.Name)
		}
	}
	return names
}

// Close ends what is being mirrored. No request may come afterwards.
func (h *Handler) Close() { h.mirrors.close() }

// Port is the handler of the requests that come to one port.
type Port struct {
	Handler *Handler
	Number  uint16
}

// Handle answers one request.
func (p Port) Handle(ctx context.Context, request *message.Request, reply message.Reply) {
	e := exchanges.Get().(*exchange)
	e.handler, e.request, e.reply = p.Handler, request, reply
	outcome := e.run(ctx, p.Number)
	e.handler, e.request, e.reply = nil, nil, nil
	if e.seen.Request != nil {
		e.seen.Reset()
		e.responses = nil
	}
	exchanges.Put(e)
	p.Handler.recorder.Record(outcome)
}

// Refused counts a request that its codec did not let in.
func (p Port) Refused(status int, left bool) {
	outcome := Outcome{Status: status, Reason: ReasonBadRequest}
	if left {
		outcome.Reason = ReasonClient
	}
	p.Handler.recorder.Record(outcome)
}

// exchange is one request's way. It is pooled: nothing of it is in use when run has returned.
type exchange struct {
	handler *Handler
	request *message.Request
	reply   message.Reply
	origin  origin
	// seen is the request as filters see it; responses are the filters that its answer passes.
	seen      filter.Exchange
	responses []filter.Response
	// passOn is inform, made a function once.
	passOn func(status int, fields *message.Fields) error
	// whole is the time of the request, attempt that of sending it once; nil for none.
	whole, attempt *limit
	// again says whether the request may be sent again; nil when its rule has no retries.
	again *again
}

var exchanges = sync.Pool{New: func() any {
	e := &exchange{}
	e.passOn = e.inform
	return e
}}

func (e *exchange) run(ctx context.Context, port uint16) Outcome {
	if e.request.Method == "CONNECT" {
		return e.refuse(501, ReasonBadRequest)
	}
	if hasDotSegment(e.request.Path) {
		return e.refuse(400, ReasonBadRequest)
	}
	table := e.handler.table.Load()
	if e.request.Scheme == "https" && table.Routes.Misdirected(port, e.request.ServerName, e.request.Authority) {
		return e.refuse(421, ReasonBadRequest)
	}
	rule, found := table.Routes.Lookup(port, &route.Request{
		Host:   e.request.Authority,
		Path:   e.request.Path,
		Query:  strings.TrimPrefix(e.request.Query, "?"),
		Method: e.request.Method,
		Fields: &e.request.Fields,
	})
	// HTTPRouteRule.matches: "When no rules matching a request have been successfully attached to the parent a request
	// is coming from, a HTTP 404 status code MUST be returned."
	if !found {
		return e.refuse(404, ReasonNoRoute)
	}
	if rule.Broken {
		return e.refuse(500, ReasonNoBackend)
	}
	if e.request.Unhurried = rule.Timeouts != nil; e.request.Unhurried && rule.Timeouts.Request > 0 {
		ctx, e.whole = within(ctx, rule.Timeouts.Request)
		defer e.endWhole()
	}
	outbound(e.request)
	e.origin.mark(e.request, port, table.TrustedHops)
	if rule.Filters != nil {
		if answer := e.filtered(rule.Filters, port); answer != nil {
			return e.answer(answer, ReasonFilter)
		}
	}
	share := choose(rule)
	if share == nil {
		return e.refuse(500, ReasonNoBackend)
	}
	if share.Filters != nil {
		if answer := e.filtered(share.Filters, port); answer != nil {
			return e.answer(answer, ReasonFilter)
		}
	}
	if e.seen.Copies != nil {
		defer e.mirror(table)()
	}
	backend := table.Backends[share.Backend]
	if rule.Retry != nil {
		return e.persist(ctx, rule, backend)
	}
	outcome, err := e.forward(ctx, rule, backend)
	if err != nil {
		return e.failed(ctx, err)
	}
	return outcome
}

func (e *exchange) endWhole() {
	e.whole.end()
	e.whole = nil
}

// filtered has filters see the request, and gives the response of one that answers it.
func (e *exchange) filtered(by *filter.Chain, port uint16) *message.Response {
	e.seen.Request, e.seen.Port, e.responses = e.request, port, by.Responses
	return by.Answer(&e.seen)
}

// choose gives the share whose turn it is; nil when the request is to be answered 500. HTTPRouteRule.backendRefs: "If
// multiple backends are specified, and some are invalid, the proportion of requests that would otherwise have been
// routed to an invalid backend MUST receive a 500 status code."
func choose(rule *Rule) *Share {
	if len(rule.Shares) == 0 {
		return nil
	}
	share := &rule.Shares[rule.Split.Next()]
	if share.Backend == NoBackend {
		return nil
	}
	return share
}

var errNoEndpoint = errors.New("the backend has no endpoint")

// forward sends the request to an endpoint, and to the next one when no connection can be made. An error says that there
// is no response.
func (e *exchange) forward(ctx context.Context, rule *Rule, backend *upstream.Backend) (Outcome, error) {
	attempts := backend.Attempts()
	endpoint := attempts.Next()
	// HTTPRouteRule.backendRefs: "When a HTTPBackendRef refers to a Service that has no ready endpoints,
	// implementations SHOULD return a 503 for requests to that backend instead."
	if endpoint == nil {
		return Outcome{}, errNoEndpoint
	}
	for tried := 1; ; tried++ {
		outcome, err := e.send(ctx, rule, endpoint)
		if err == nil {
			return outcome, nil
		}
		if ctx.Err() == nil {
			e.handler.distrust.Note(backend.Name, endpoint.Address, err)
		}
		var connect *message.ConnectError
		if !errors.As(err, &connect) || ctx.Err() != nil || tried == maxAttempts {
			return Outcome{}, err
		}
		if endpoint = attempts.Next(); endpoint == nil {
			return Outcome{}, err
		}
	}
}

// send sends the request to an endpoint, and passes the response on. An error says that there is none.
func (e *exchange) send(ctx context.Context, rule *Rule, endpoint *upstream.Endpoint) (Outcome, error) {
	defer endpoint.Done()
	if rule.Timeouts != nil && rule.Timeouts.BackendRequest > 0 {
		ctx, e.attempt = within(ctx, rule.Timeouts.BackendRequest)
		defer e.endAttempt()
	}
	response, err := endpoint.RoundTrip(ctx, e.request, e.passOn)
	if err != nil {
		return Outcome{}, timely(ctx, err)
	}
	defer response.Close()
	if e.again != nil && e.again.instead(response, e.request) {
		return Outcome{}, errAgain
	}
	return e.respond(ctx, response), nil
}

func (e *exchange) endAttempt() {
	e.attempt.end()
	e.attempt = nil
}

func (e *exchange) inform(status int, fields *message.Fields) error {
	removeHopByHop(fields)
	return e.reply.Inform(status, fields)
}

// failed answers for an endpoint that gave no response.
func (e *exchange) failed(ctx context.Context, err error) Outcome {
	if errors.Is(err, errNoEndpoint) {
		return e.refuse(503, ReasonNoEndpoint)
	}
	if errors.Is(err, errTime) {
		return e.refuse(504, ReasonTimeout)
	}
	if ctx.Err() != nil {
		return Outcome{Reason: ReasonClient}
	}
	var content *message.ContentError
	if errors.As(err, &content) {
		return e.refuse(content.Status, ReasonClient)
	}
	var connect *message.ConnectError
	if errors.As(err, &connect) && connect.Full {
		return e.refuse(503, ReasonFull)
	}
	if connect != nil && connect.TLS && !connect.Timeout {
		return e.refuse(502, ReasonTLS)
	}
	if connect != nil && !connect.Timeout {
		return e.refuse(502, ReasonConnect)
	}
	var late net.Error
	if connect != nil || errors.As(err, &late) && late.Timeout() {
		return e.refuse(504, ReasonTimeout)
	}
	if message.IsAlert(err) {
		return e.refuse(502, ReasonTLS)
	}
	return e.refuse(502, ReasonUpstream)
}

// respond passes the response on.
func (e *exchange) respond(ctx context.Context, response *message.Response) Outcome {
	if response.Status == 101 {
		return e.upgrade(response)
	}
	if !e.whole.begin(e.reply) || !e.attempt.begin(e.reply) {
		return e.refuse(504, ReasonTimeout)
	}
	removeHopByHop(&response.Fields)
	e.filterResponse(&response.Fields)
	outcome := Outcome{Status: response.Status, Reason: ReasonOK}
	err := e.reply.Respond(response)
	e.whole.sent()
	e.attempt.sent()
	if err != nil {
		outcome.Reason = cutBy(ctx, err)
	}
	return outcome
}

func (e *exchange) filterResponse(fields *message.Fields) {
	for _, f := range e.responses {
		f.Apply(&e.seen, fields)
	}
}

// cutBy says which side broke a response off.
func cutBy(ctx context.Context, err error) Reason {
	if errors.Is(context.Cause(ctx), errTime) {
		return ReasonTimeout
	}
	var body *message.BodyError
	if errors.As(err, &body) && ctx.Err() == nil {
		return ReasonUpstream
	}
	return ReasonClient
}

// upgrade joins the two connections until either ends.
func (e *exchange) upgrade(response *message.Response) Outcome {
	if e.request.Upgrade == "" || response.Tunnel == nil {
		return e.refuse(502, ReasonUpstream)
	}
	if !e.whole.lift() || !e.attempt.lift() {
		return e.refuse(504, ReasonTimeout)
	}
	protocol, _ := response.Fields.Get("Upgrade")
	removeHopByHop(&response.Fields)
	e.filterResponse(&response.Fields)
	response.Fields.Set("Connection", "Upgrade")
	response.Fields.Set("Upgrade", protocol)
	client, err := e.reply.Upgrade(response)
	if err != nil {
		return Outcome{Reason: ReasonClient}
	}
	ended := make(chan struct{}, 2)
	join := func(to io.WriteCloser, from io.Reader) {
		_, _ = io.Copy(to, from) // Either side may end a tunnel in any way.
		ended <- struct{}{}
	}
	go join(response.Tunnel, client)
	go join(client, response.Tunnel)
	<-ended
	_ = client.Close()
	_ = response.Tunnel.Close()
	<-ended
	return Outcome{Status: 101, Reason: ReasonOK}
}
