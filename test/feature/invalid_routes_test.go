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

import "strings"

// invalidRoutes are routes that do not attach, or whose references lead nowhere.
func invalidRoutes() []invalid {
	const bad, to, here = "HTTPRoute shop/bad", "{backendRefs: [{name: other, port: 80}]}", "parentRefs: [{name: web}], hostnames: [bad.test]"
	services := "kind: Service\nmetadata: {namespace: shop, name: odd}\nspec: {ports: [{name: a, port: 80, appProtocol: example.com/x}, {name: b, port: 53, protocol: UDP}]}\n---\n" +
		"kind: Service\nmetadata: {namespace: shop, name: alias}\nspec: {type: ExternalName, externalName: a.test, ports: [{port: 80}]}\n---\n" +
		"kind: Service\nmetadata: {namespace: bank, name: ledger}\nspec: {ports: [{port: 80}]}"
	attached := func(input, spec, want string, names ...string) invalid {
		return invalid{input: input, objects: []string{routeOf("bad", spec, to)}, want: want, names: names, traffic: gets404}
	}
	backend := func(input, ref, want string, names ...string) invalid {
		return invalid{input: input, objects: []string{services}, rules: "{backendRefs: [" + ref + "]}", want: want, names: append(names, "rules[0].backendRefs[0]"), traffic: gets500}
	}
	rows := []invalid{
		attached("a `sectionName` that no listener has", "parentRefs: [{name: web, sectionName: gone}], hostnames: [bad.test]", "Accepted=False NoMatchingParent", "shop/web", `"gone"`),
		attached("a `port` that no listener has", "parentRefs: [{name: web, port: 81}], hostnames: [bad.test]", "Accepted=False NoMatchingParent", "shop/web", "port 81"),
		{input: "a namespace that the listener does not allow", objects: []string{"kind: HTTPRoute\nmetadata: {namespace: bank, name: bad}\nspec: {parentRefs: [{name: web, namespace: shop}], hostnames: [bad.test], rules: [{}]}"}, subject: "HTTPRoute bank/bad",
			want: "Accepted=False NotAllowedByListeners", names: []string{`"http"`, "allowedRoutes.namespaces.from"}, traffic: gets404},
		{input: "a kind that the listener does not allow", listeners: "{name: calls, port: 81, protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}", objects: []string{routeOf("bad", "parentRefs: [{name: web, sectionName: calls}], hostnames: [bad.test]", to)},
			want: "Accepted=False NotAllowedByListeners", names: []string{`"calls"`, "allowedRoutes.kinds", "HTTPRoute"}, asked: "81 /", traffic: gets404},
		{input: "no hostname of the listener's", listeners: "{name: named, port: 81, protocol: HTTP, hostname: other.test}", objects: []string{routeOf("bad", "parentRefs: [{name: web, sectionName: named}], hostnames: [bad.test]", to)},
			want: "Accepted=False NoMatchingListenerHostname", names: []string{"spec.hostnames"}, asked: "81 /", traffic: gets404},
		{input: "the hostname of a GRPCRoute", objects: []string{"kind: GRPCRoute\nmetadata: {namespace: shop, name: calls, creationTimestamp: \"2026-01-01T00:00:00Z\"}\nspec: {" + here + ", rules: [{matches: [{method: {service: a}}]}]}", routeOf("bad", here, to)},
			want: "Accepted=False HostnameConflict", names: []string{`"http"`, "GRPCRoute shop/calls"}, traffic: gets404},
		{input: "the matches of an older route", rules: "{}", objects: []string{strings.Replace(routeOf("older", here, to), "01-02", "01-01", 1)},
			want: "rauta.dev/Shadowed=True Shadowed", names: []string{"rules[0]", "HTTPRoute shop/older"}, traffic: getsWinner},
		{input: "the matches of an earlier rule", rules: to + ", {}",
			want: "rauta.dev/Shadowed=True Shadowed", names: []string{"rules[1]", "rules[0] of this route"}, traffic: getsWinner},
		backend("a Service that does not exist", "{name: gone, port: 80}", "ResolvedRefs=False BackendNotFound", "shop/gone"),
		backend("a port that the Service does not have", "{name: other, port: 81}", "ResolvedRefs=False BackendNotFound", "shop/other", "port 81"),
		backend("no port", "{name: other}", "ResolvedRefs=False UnsupportedValue", "port", "shop/other"),
		backend("a backend of another kind", "{group: example.com, kind: Bucket, name: b, port: 80}", "ResolvedRefs=False InvalidKind", "Bucket", `"b"`),
		backend("a Service of another namespace without a ReferenceGrant", "{name: ledger, namespace: bank, port: 80}", "ResolvedRefs=False RefNotPermitted", `"bank"`, `"ledger"`),
		backend("a Service of type ExternalName", "{name: alias, port: 80}", "ResolvedRefs=False UnsupportedValue", "shop/alias", "ExternalName"),
		backend("a port of UDP", "{name: odd, port: 53}", "ResolvedRefs=False UnsupportedProtocol", "port 53", "shop/odd"),
		backend("an `appProtocol` that is not known", "{name: odd, port: 80}", "ResolvedRefs=False UnsupportedProtocol", "shop/odd", "example.com/x"),
		{input: "a mirror to a Service that does not exist", rules: "{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: gone, port: 80}}}], backendRefs: [{name: other, port: 80}]}",
			want: "ResolvedRefs=False BackendNotFound", names: []string{"rules[0].filters[0].requestMirror.backendRef", "shop/gone"}, traffic: gets200},
		{input: "an `extensionRef`", rules: "{filters: [{type: ExtensionRef, extensionRef: {group: example.com, kind: Auth, name: a}}], backendRefs: [{name: other, port: 80}]}",
			want: "ResolvedRefs=False InvalidKind", names: []string{"rules[0].filters[0].extensionRef", "Auth", `"a"`}, traffic: gets500},
	}
	for i := range rows {
		rows[i].of = "HTTPRoute"
		if rows[i].subject == "" {
			rows[i].subject = bad
		}
		if rows[i].asked == "" {
			rows[i].asked = "/"
		}
	}
	return rows
}

// invalidRules are rules that cannot be served, of routes that have another one.
func invalidRules() []invalid {
	const beside = ", {matches: [{path: {value: /beside}}], backendRefs: [{name: other, port: 80}]}"
	row := func(input, rule, traffic string, names ...string) invalid {
		return invalid{of: "HTTPRoute", input: input, rules: rule + beside, subject: "HTTPRoute shop/bad", want: "PartiallyInvalid=True UnsupportedValue", names: append(names, "rules[0]"), asked: "/", traffic: traffic}
	}
	filter := func(input, filter string, names ...string) invalid {
		return row(input, "{filters: ["+filter+"], backendRefs: [{name: other, port: 80}]}", gets500, names...)
	}
	more := func(input, field string, names ...string) invalid {
		return row(input, "{"+field+", backendRefs: [{name: other, port: 80}]}", gets500, names...)
	}
	long := strings.Repeat("[a-z]{999}", 12)
	calls := invalid{
		of: "GRPCRoute", input: "a method that is no expression", subject: "GRPCRoute shop/calls", want: "PartiallyInvalid=True UnsupportedValue", names: []string{"rules[0].matches[0].method"},
		objects: []string{"kind: GRPCRoute\nmetadata: {namespace: shop, name: calls}\nspec: {parentRefs: [{name: web}], hostnames: [bad.test], rules: [{matches: [{method: {type: RegularExpression, service: \"(\"}}]}, {matches: [{method: {service: a}}]}]}"},
		asked:   "/x/y", traffic: gets404,
	}
	alone := row("nothing but rules that cannot be served", "", gets404, "sessionPersistence")
	alone.rules, alone.want = "{sessionPersistence: {}}", "Accepted=False UnsupportedValue"
	return []invalid{
		alone,
		row("a path that is no expression", "{matches: [{path: {type: RegularExpression, value: \"(\"}}]}", gets404, "matches[0].path.value"),
		row("a path whose expression is too large", "{matches: [{path: {type: RegularExpression, value: \"/"+long+"\"}}]}", gets404, "matches[0].path.value"),
		row("a path with empty elements", "{matches: [{path: {value: //x}}]}", gets404, "matches[0].path.value", `"//x"`),
		row("a way to match paths that is not known", "{matches: [{path: {type: Suffix, value: /x}}]}", gets404, "matches[0].path.type", "Suffix"),
		row("a header's value that is no expression", "{matches: [{headers: [{name: a, type: RegularExpression, value: \"(\"}]}]}", gets404, "matches[0].headers[0].value"),
		row("a parameter's value that is no expression", "{matches: [{queryParams: [{name: a, type: RegularExpression, value: \"(\"}]}]}", gets404, "matches[0].queryParams[0].value"),
		row("a method that is not known", "{matches: [{method: BREW}]}", gets404, "matches[0].method", "BREW"),
		row("one of two matches that cannot be expressed", "{matches: [{path: {value: /}}, {method: BREW}]}", gets500, "matches[1].method", "BREW"),
		filter("a header that frames messages", "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Content-Length, value: \"1\"}]}}", "filters[0].requestHeaderModifier.set[0].name"),
		filter("a redirect's status that is not known", "{type: RequestRedirect, requestRedirect: {statusCode: 309}}", "filters[0].requestRedirect.statusCode", "309"),
		filter("a path that cannot stand in another's place", "{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /a/../b}}}", "filters[0].urlRewrite.path.replaceFullPath"),
		filter("a mirror of more than all", "{type: RequestMirror, requestMirror: {backendRef: {name: other, port: 80}, percent: 101}}", "filters[0].requestMirror.percent", "101"),
		filter("an origin of CORS that is none", "{type: CORS, cors: {allowOrigins: [a.test]}}", "filters[0].cors.allowOrigins[0]", "a.test"),
		filter("a filter twice", "{type: URLRewrite, urlRewrite: {hostname: a.test}}, {type: URLRewrite, urlRewrite: {hostname: b.test}}", "filters[1].type"),
		filter("a filter that is not known", "{type: ExternalAuth}", "filters[0].type", "ExternalAuth"),
		filter("a filter without its field", "{type: CORS}", "filters[0].type", "CORS"),
		row("a filter of a backendRef", "{backendRefs: [{name: other, port: 80, filters: [{type: ExternalAuth}]}]}", gets500, "backendRefs[0].filters[0].type", "ExternalAuth"),
		more("a timeout that is no duration", "timeouts: {request: soon}", "timeouts.request", "soon"),
		more("a timeout of the backend above the request's", "timeouts: {request: 1s, backendRequest: 2s}", "timeouts.backendRequest", "2s"),
		more("a code that cannot be retried", "retry: {codes: [200]}", "retry.codes[0]", "200"),
		more("sessions", "sessionPersistence: {}", "sessionPersistence"),
		calls,
	}
}
