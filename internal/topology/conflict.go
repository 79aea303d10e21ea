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

package topology

import (
	"fmt"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// decideConflicts decides Conflicted of all listeners: those of one owner, the Gateway or a ListenerSet, stand together, and the
// owners in the order of their precedence.
func decideConflicts(listeners []Listener) {
	taken := portClaims{}
	for from := 0; from < len(listeners); {
		to := from
		for to < len(listeners) && listeners[to].Set == listeners[from].Set {
			to++
		}
		own := listeners[from:to]
		// What loses against another owner takes nobody of its own with it.
		remaining := make([]*Listener, 0, len(own))
		for i := range own {
			own[i].Conflicted = outranked(taken, &own[i])
			if !own[i].Conflicted.True() {
				remaining = append(remaining, &own[i])
			}
		}
		for _, decided := range conflicts(remaining) {
			decided.listener.Conflicted = decided.conflicted
		}
		for i := range own {
			if !own[i].lost() {
				taken.add(&own[i])
			}
		}
		from = to
	}
}

// outranked decides whether an owner of higher precedence has what a listener of a ListenerSet wants: "If a listener has a
// conflict, this will be reported in the Status.ListenerEntryStatus setting the `Conflicted` condition to True."
// (ListenerSetSpec.listeners) Whatever else is wrong with the other one, its traffic is not for the next who asks for it. The
// message does not tell whose it is: "Implementations SHOULD be cautious about what information from the parent or siblings are
// reported".
func outranked(taken portClaims, l *Listener) Decision {
	reason := taken.conflict(l)
	const whose = "by a listener of the Gateway or of an older ListenerSet"
	switch reason {
	case "":
		return noConflict()
	case gatewayv1.ListenerReasonProtocolConflict:
		return yes(gatewayv1.ListenerConditionConflicted, reason, fmt.Sprintf(
			"port %d is used %s%s: use another port", l.Port, differently(l), whose))
	default:
		return yes(gatewayv1.ListenerConditionConflicted, reason, fmt.Sprintf(
			"port %d and hostname %q are used %s: change one of them", l.Port, l.Hostname, whose))
	}
}

// portClaims are what listeners of owners of higher precedence have: by port and what clients begin with, the hostnames. There may be a
// thousand, each of which is compared with all before it.
type portClaims map[int32]map[string]map[string]bool

func (c portClaims) add(l *Listener) {
	begins := opening(l.Protocol)
	if begins == "" {
		return
	}
	if c[l.Port] == nil {
		c[l.Port] = map[string]map[string]bool{}
	}
	if c[l.Port][begins] == nil {
		c[l.Port][begins] = map[string]bool{}
	}
	c[l.Port][begins][l.Hostname] = true
}

// conflict is the wider of the conflicts that the function of that name finds with each of them.
func (c portClaims) conflict(l *Listener) gatewayv1.ListenerConditionReason {
	begins, taken := opening(l.Protocol), c[l.Port]
	if begins == "" {
		return ""
	}
	for other := range taken {
		if (other == datagrams) == (begins == datagrams) && (other != begins || begins == datagrams || begins == anything) {
			return gatewayv1.ListenerReasonProtocolConflict
		}
	}
	if taken[begins][l.Hostname] {
		return gatewayv1.ListenerReasonHostnameConflict
	}
	return ""
}

// lost reports whether a listener of a ListenerSet takes part in nothing, because of others or of their number.
func (l *Listener) lost() bool {
	return l.ofSet() && (l.Conflicted.True() || l.surplus)
}

// verdict is what was decided about one listener.
type verdict struct {
	listener   *Listener
	conflicted Decision
}

// conflicts decides whether listeners of one owner are indistinct from, or incompatible with, each other.
func conflicts(own []*Listener) []verdict {
	verdicts := make([]verdict, len(own))
	for i := range own {
		verdicts[i] = verdict{own[i], conflicted(own, i)}
	}
	return verdicts
}

// conflicted decides whether listener i is indistinct from, or incompatible with, another one of the same port.
func conflicted(listeners []*Listener, i int) Decision {
	var reason gatewayv1.ListenerConditionReason
	var others []string
	for j := range listeners {
		if j == i {
			continue
		}
		found := conflict(listeners[i], listeners[j])
		if found == "" {
			continue
		}
		// A conflict of protocols is the wider one: changing the hostname would not end it.
		if reason == "" || found == gatewayv1.ListenerReasonProtocolConflict {
			reason = found
		}
		others = append(others, fmt.Sprintf("%q", listeners[j].Name))
	}
	switch reason {
	case "":
		return noConflict()
	case gatewayv1.ListenerReasonProtocolConflict:
		return yes(gatewayv1.ListenerConditionConflicted, reason, fmt.Sprintf(
			"port %d is also used %sby listeners %s: use different ports", listeners[i].Port, differently(listeners[i]), strings.Join(others, ", ")))
	default:
		return yes(gatewayv1.ListenerConditionConflicted, reason, fmt.Sprintf(
			"port %d and hostname %q are also those of listeners %s: make them differ in one", listeners[i].Port, listeners[i].Hostname, strings.Join(others, ", ")))
	}
}

// differently says why a port cannot be shared; a TCP or UDP listener shares its port with none, whatever the other's protocol.
func differently(l *Listener) string {
	if l.Protocol == gatewayv1.TCPProtocolType || l.Protocol == gatewayv1.UDPProtocolType {
		return ""
	}
	return "with another protocol "
}

func noConflict() Decision {
	return no(gatewayv1.ListenerConditionConflicted, gatewayv1.ListenerReasonNoConflicts, "no other listener wants the same traffic")
}

// conflict says how two listeners conflict; empty when they do not. Listeners of protocols that are not supported take part in
// nothing, and those of UDP have ports of their own.
func conflict(a, b *Listener) gatewayv1.ListenerConditionReason {
	first, second := opening(a.Protocol), opening(b.Protocol)
	switch {
	case a.Port != b.Port, first == "" || second == "", (first == datagrams) != (second == datagrams):
		return ""
	// "TCP, UDP: Port" has to be different, and "all the Listeners that share a port with the TCP Listener are not distinct and so
	// MUST NOT be accepted". (GatewaySpec.listeners)
	case first != second, first == datagrams, first == anything:
		return gatewayv1.ListenerReasonProtocolConflict
	// "HTTP, HTTPS, TLS: Port, Hostname" must differ in at least one for listeners that share a protocol. An HTTPS and a TLS
	// listener of one port are told from each other by the server name that the client asks for, and by nothing else: "The
	// implementation can match inbound requests to a single distinct Listener".
	case a.Hostname == b.Hostname:
		return gatewayv1.ListenerReasonHostnameConflict
	default:
		return ""
	}
}

// What the first bytes of a client are; listeners of one port must agree in it.
const (
	cleartext = "cleartext"
	hello     = "hello"
	anything  = "anything"
	datagrams = "datagrams"
)

// opening is what clients begin with; empty for protocols that are not supported.
func opening(protocol gatewayv1.ProtocolType) string {
	switch protocol {
	case gatewayv1.HTTPProtocolType:
		return cleartext
	case gatewayv1.HTTPSProtocolType, gatewayv1.TLSProtocolType:
		return hello
	case gatewayv1.TCPProtocolType:
		return anything
	case gatewayv1.UDPProtocolType:
		return datagrams
	default:
		return ""
	}
}
