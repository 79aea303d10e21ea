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
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

var updateDocs = flag.Bool("update", false, "write the table of docs/conditions.md instead of comparing with it")

const (
	conditionsPage = "../../docs/conditions.md"
	tableBegins    = "<!-- the rows of TestInvalidInput; go test ./test/feature -run TestInvalidInput -update writes them -->\n"
	tableEnds      = "<!-- end of the rows -->\n"
)

// invalid is an object that cannot be served as it is, beside a route that can.
type invalid struct {
	// of is the kind of the object, and input what is wrong with it.
	of, input string
	// gateway and listeners are more of the Gateway's spec, and of its listeners.
	gateway, listeners string
	// rules of the HTTPRoute shop/bad for bad.test, if there is one.
	rules string
	// objects are what else there is.
	objects []string
	// subject is whose condition it is: "Gateway", "listener tls", "HTTPRoute shop/bad".
	subject string
	// want is the condition, and names what its message has to name: the object or the field.
	want  string
	names []string
	// asked is what a client asks for, on port 80 unless it says another: "/", "81 /", "443 /".
	asked string
	// traffic is what the client gets.
	traffic string
}

// What clients get.
const (
	gets200      = "200"
	gets404      = "404"
	gets500      = "500"
	gets502      = "502"
	getsNothing  = "nothing listens on the port"
	getsNoTLS    = "the handshake fails"
	getsWinner   = "200, from the rule that the message names"
	goodHostname = "good.test"
	badHostname  = "bad.test"
)

// TestInvalidInput has each row in turn beside a neighbour: the condition says what is wrong and names it, clients get what the row says,
// and nothing of the neighbour is touched. The rows are the table of docs/conditions.md.
func TestInvalidInput(t *testing.T) {
	h := newHouse(t)
	good, other := backend(t, "good"), backend(t, "other")
	rows := slices.Concat(invalidGateways(t), invalidListeners(t), invalidRoutes(), invalidRules(), invalidPolicies(t))
	lines := make([]string, 0, len(rows))
	for i := range rows {
		row := &rows[i]
		t.Run(row.of+", "+row.input, func(t *testing.T) {
			alone := h.place(t, &invalid{}, good.Listener.Addr().String(), other.Listener.Addr().String())
			before := h.resources(t)
			h.place(t, row, good.Listener.Addr().String(), other.Listener.Addr().String())
			built := h.settle()
			decision := row.find(t, built)
			if got := fmt.Sprintf("%s=%s %s", decision.Type, decision.Status, decision.Reason); got != row.want {
				t.Errorf("the condition is %s, want %s: %s", got, row.want, decision.Message)
			}
			for _, name := range row.names {
				if !strings.Contains(decision.Message, name) {
					t.Errorf("the message does not name %q: %s", name, decision.Message)
				}
			}
			if got, want := h.reach(t, row.asked), strings.Split(row.traffic, ",")[0]; got != want {
				t.Errorf("a client gets %q, want %q", got, want)
			}
			if got := h.get(80, goodHostname, "/"); got != (answer{200, "good"}) {
				t.Errorf("the neighbour answers %v", got)
			}
			h.sameNeighbour(t, built, alone, before)
			lines = append(lines, row.line(decision.Message))
		})
	}
	compareTable(t, lines)
}

// place puts a row and its neighbour into the house.
func (h *house) place(t *testing.T, row *invalid, good, other string) *topology.Topology {
	t.Helper()
	documents := append([]string{
		"kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: [{name: http, port: 80, protocol: HTTP}, " + row.listeners + "], " + row.gateway + "}",
		"kind: HTTPRoute\nmetadata: {namespace: shop, name: good, creationTimestamp: \"2026-01-01T00:00:00Z\"}\nspec: {parentRefs: [{name: web, sectionName: http}], hostnames: [good.test], rules: [{backendRefs: [{name: good, port: 80}]}]}",
		serviceTo("good", good), serviceTo("other", other),
	}, row.objects...)
	if row.rules != "" {
		documents = append(documents, routeOf("bad", "parentRefs: [{name: web}], hostnames: [bad.test]", row.rules))
	}
	world := topologytest.Parse(t, documents...)
	h.input, h.slices = world.Input, world.Slices
	h.input.Now = time.Now()
	return topology.Build(h.input)
}

// resources are the table of what is in the house, by name.
func (h *house) resources(t *testing.T) map[string]*adminv1.Resource {
	t.Helper()
	list, err := translate.Resources(topology.Build(h.input), h.slices)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]*adminv1.Resource{}
	for _, resource := range list {
		named[resource.GetName()] = resource
	}
	return named
}

// sameNeighbour compares what is decided and rendered for the neighbour with what was when it was alone.
func (h *house) sameNeighbour(t *testing.T, built, alone *topology.Topology, before map[string]*adminv1.Resource) {
	t.Helper()
	id := topology.RouteID{Kind: topology.HTTPRouteKind, Namespace: "shop", Name: "good"}
	if got, want := built.Find(id).Parents[0].Decisions(), alone.Find(id).Parents[0].Decisions(); !slices.Equal(got, want) {
		t.Errorf("the neighbour is told %+v, and alone %+v", got, want)
	}
	if got, want := built.Own[0].Decisions(), alone.Own[0].Decisions(); !slices.Equal(got, want) {
		t.Errorf("its listener is told %+v, and alone %+v", got, want)
	}
	now := h.resources(t)
	for name, resource := range before {
		if !proto.Equal(resource, now[name]) {
			t.Errorf("%s is another resource than without the bad input", name)
		}
	}
}

// find gives the decision of the row's subject that is of the wanted type.
func (row *invalid) find(t *testing.T, built *topology.Topology) topology.Decision {
	t.Helper()
	wanted, _, _ := strings.Cut(row.want, "=")
	for _, decision := range row.decisions(built) {
		if decision.Type == wanted {
			return decision
		}
	}
	t.Fatalf("%s has no condition %s", row.subject, wanted)
	return topology.Decision{}
}

func (row *invalid) decisions(built *topology.Topology) []topology.Decision {
	if row.subject == "Gateway" {
		decisions := []topology.Decision{built.Accepted, built.ResolvedRefs}
		if built.InvalidCertificate != nil {
			decisions = append(decisions, *built.InvalidCertificate)
		}
		return decisions
	}
	for i := range built.Listeners {
		if row.subject == "listener "+built.Listeners[i].String() {
			return built.Listeners[i].Decisions()
		}
	}
	for i := range built.ListenerSets {
		if row.subject == "ListenerSet "+built.ListenerSets[i].Key().String() {
			return []topology.Decision{built.ListenerSets[i].Accepted}
		}
	}
	for i := range built.Routes {
		object := built.Routes[i].Object
		if row.subject == fmt.Sprintf("%s %s/%s", topology.KindOf(object), object.GetNamespace(), object.GetName()) {
			return built.Routes[i].Parents[0].Decisions()
		}
	}
	for i := range built.BackendTLSPolicies {
		object := built.BackendTLSPolicies[i].Object
		if row.subject == "BackendTLSPolicy "+object.Namespace+"/"+object.Name {
			return built.BackendTLSPolicies[i].Decisions()
		}
	}
	return nil
}

// reach sends a request for the bad hostname and says what a client gets.
func (h *house) reach(t *testing.T, asked string) string {
	t.Helper()
	port, path := uint16(80), asked
	if number, rest, given := strings.Cut(asked, " "); given {
		path = rest
		if _, err := fmt.Sscan(number, &port); err != nil {
			t.Fatal(err)
		}
	}
	address, bound := h.proxy.ListenerAddr(port)
	if !bound {
		return getsNothing
	}
	scheme := "http://"
	if port >= 443 && port < 500 {
		scheme = "https://"
	}
	got, err := h.unverified(t.Context(), scheme+address+path)
	if alert := (*net.OpError)(nil); errors.As(err, &alert) && alert.Op == "remote error" {
		return getsNoTLS
	}
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(got.status)
}

// unverified asks as a client that takes whatever certificate it is shown.
func (h *house) unverified(ctx context.Context, url string) (answer, error) {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{ServerName: badHostname, InsecureSkipVerify: true}, //nolint:gosec // What it is shown is looked at elsewhere.
		DisableKeepAlives: true,
	}
	return send(ctx, &http.Client{Transport: transport, Timeout: h.client.Timeout}, url, badHostname)
}

// line is the row in the table.
func (row *invalid) line(message string) string {
	cell := func(text string) string { return strings.ReplaceAll(strings.ReplaceAll(text, "|", "\\|"), "\n", " ") }
	return fmt.Sprintf("| %s | %s | %s: %s | %s | %s |\n", row.of, cell(row.input), row.subject, row.want, cell(message), row.traffic)
}

// compareTable compares the rows with the page, or writes them.
func compareTable(t *testing.T, lines []string) {
	t.Helper()
	page, err := os.ReadFile(conditionsPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begun := strings.Cut(string(page), tableBegins)
	body, tail, ended := strings.Cut(rest, tableEnds)
	if !begun || !ended {
		t.Fatalf("%s has no place for the rows", conditionsPage)
	}
	want := "\n| kind | input | condition | message | a client gets |\n| --- | --- | --- | --- | --- |\n" + strings.Join(lines, "") + "\n"
	if body == want || t.Failed() {
		return
	}
	if !*updateDocs {
		t.Fatalf("%s has other rows than the test: run it with -update, and read what has changed", conditionsPage)
	}
	if err := os.WriteFile(conditionsPage, []byte(head+tableBegins+want+tableEnds+tail), 0o600); err != nil {
		t.Fatal(err)
	}
}
