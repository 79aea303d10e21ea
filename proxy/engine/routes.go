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

package engine

import (
	"slices"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/route"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// splitKey names a rule, or a stream route, across tables.
type splitKey struct {
	route string
	index int
}

// splitState is a rule's split and what it is between: while neither changes, a new table goes on where the one before
// was, so that frequent tables do not favour the heaviest backend.
type splitState struct {
	split    *upstream.Split
	backends []string
}

// routes builds the match table of the plan.
func (e *Engine) routes(before map[splitKey]splitState) *route.Table[*forward.Rule] {
	var listeners []route.Listener
	for _, l := range e.plan.Listeners {
		// Those of TLS have no requests, but hosts for which a request over another listener's connection is misdirected.
		if l.Protocol.HTTP() || l.Protocol == config.ProtocolTLS {
			listeners = append(listeners, route.Listener{Name: l.Name, Port: l.Port, Hostname: l.Hostname})
		}
	}
	routes := make([]*route.Route[*forward.Rule], len(e.plan.Routes))
	e.built = make(map[string]*route.Route[*forward.Rule], len(routes))
	for i, planned := range e.plan.Routes {
		routes[i] = e.route(planned, before)
		e.built[planned.Name] = routes[i]
	}
	return route.Of(listeners, routes)
}

// reroute makes the match table of the one before and what a step changed.
func (e *Engine) reroute(step *config.Step) *route.Table[*forward.Rule] {
	var gone []*route.Route[*forward.Rule]
	added := make([]*route.Route[*forward.Rule], 0, len(step.Changed))
	for _, name := range step.Gone {
		gone = append(gone, e.built[name])
		e.forgetSplits(e.built[name], nil)
		delete(e.built, name)
	}
	for _, at := range step.Changed {
		planned := e.plan.Routes[at]
		made := e.route(planned, e.splits)
		if before := e.built[planned.Name]; before != nil {
			gone = append(gone, before)
			e.forgetSplits(before, made)
		}
		added = append(added, made)
		e.built[planned.Name] = made
	}
	return e.table.Routes.With(gone, added)
}

// forgetSplits drops the splits of the rules that a route had and does not have any more.
func (e *Engine) forgetSplits(before, after *route.Route[*forward.Rule]) {
	for i := range before.Rules {
		index := before.Rules[i].Value.Index
		same := func(r route.Rule[*forward.Rule]) bool {
			return r.Value.Index == index && r.Value.Split != nil && r.Value.Split != undivided
		}
		if after == nil || !slices.ContainsFunc(after.Rules, same) {
			delete(e.splits, splitKey{route: before.Key, index: index})
		}
	}
}

// takeSplits takes the splits of stream routes out, for those that come in their place to carry on.
func (e *Engine) takeSplits(streams []config.PlannedStreamRoute) map[splitKey]splitState {
	taken := map[splitKey]splitState{}
	for i := range streams {
		key := splitKey{route: streams[i].Name}
		if state, kept := e.splits[key]; kept {
			taken[key] = state
			delete(e.splits, key)
		}
	}
	return taken
}

func (e *Engine) route(planned *config.PlannedRoute, before map[splitKey]splitState) *route.Route[*forward.Rule] {
	made := &route.Route[*forward.Rule]{
		Key:       planned.Name,
		Namespace: planned.Origin.Namespace,
		Name:      planned.Origin.Name,
		Created:   planned.Origin.Created,
		Rules:     make([]route.Rule[*forward.Rule], len(planned.Rules)),
	}
	for _, a := range planned.Attachments {
		made.Attachments = append(made.Attachments, route.Attachment{Listener: a.Listener, Hostnames: a.Hostnames})
	}
	for i := range planned.Rules {
		rule := &planned.Rules[i]
		made.Rules[i] = route.Rule[*forward.Rule]{Matches: matches(rule.Matches), Value: e.rule(planned.Name, rule, before)}
	}
	return made
}

func (e *Engine) rule(routeName string, planned *config.PlannedRule, before map[splitKey]splitState) *forward.Rule {
	rule := &forward.Rule{
		Route: routeName, Index: planned.Index, Broken: planned.Broken, Filters: chain(planned.Filters),
	}
	if t := planned.Timeouts; t != nil {
		rule.Timeouts = &forward.Timeouts{Request: t.Request, BackendRequest: t.BackendRequest}
	}
	if r := planned.Retry; r != nil {
		rule.Retry = &forward.Retry{Attempts: int(r.Attempts), Backoff: r.Backoff}
		for _, code := range r.Codes {
			rule.Retry.Codes = append(rule.Retry.Codes, int(code))
		}
	}
	if len(planned.Shares) == 0 {
		return rule
	}
	weights := make([]int, len(planned.Shares))
	names := make([]string, len(planned.Shares))
	rule.Shares = make([]forward.Share, len(planned.Shares))
	for i, share := range planned.Shares {
		weights[i] = share.Weight
		rule.Shares[i] = forward.Share{Backend: forward.NoBackend, Filters: within(rule.Filters, share.Filters)}
		if share.Backend != config.NoBackend {
			rule.Shares[i].Backend = share.Backend
			names[i] = e.plan.Backends[share.Backend].Name
		}
	}
	rule.Split = e.split(splitKey{route: routeName, index: planned.Index}, weights, names, before)
	return rule
}

// undivided is the split of all rules that have one share, which has no state.
var undivided = upstream.NewSplit([]int{1})

// split gives the one before where neither weights nor backends have changed.
func (e *Engine) split(key splitKey, weights []int, backends []string, before map[splitKey]splitState) *upstream.Split {
	if len(weights) == 1 {
		return undivided
	}
	state := before[key]
	if !state.split.Equal(weights) || !slices.Equal(state.backends, backends) {
		state = splitState{split: upstream.NewSplit(weights), backends: backends}
	}
	e.splits[key] = state
	return state.split
}

func matches(planned []config.Match) []route.Match {
	matches := make([]route.Match, len(planned))
	for i, m := range planned {
		matches[i] = route.Match{
			Exact: m.PathType == config.PathExact, Last: m.PathType == config.PathLastElement || m.PathType == config.PathLastExpression, Path: m.Path, Pattern: m.PathPattern, Method: m.Method,
			Headers: pairs(m.Headers), Query: pairs(m.Query),
		}
	}
	return matches
}

func pairs(values []config.ValueMatch) []route.Pair {
	pairs := make([]route.Pair, len(values))
	for i, value := range values {
		pairs[i] = route.Pair{Name: value.Name, Value: value.Value, Pattern: value.Pattern}
	}
	return pairs
}
