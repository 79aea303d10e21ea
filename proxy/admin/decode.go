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

package admin

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

// decode gives the runtime model of one resource: a *config.Listener, Route, StreamRoute, Backend, Endpoints,
// Certificate, Settings or Unknown.
//
// A field that this proxy does not know comes from a newer operator and may restrict what the resource does, as a
// filter does. So it is never passed over: the smallest part that has it is marked as unsupported.
func decode(resource *adminv1.Resource) any {
	name := resource.GetName()
	switch spec := resource.GetSpec().(type) {
	case *adminv1.Resource_Listener:
		return decodeListener(name, spec.Listener)
	case *adminv1.Resource_Route:
		return decodeRoute(name, spec.Route)
	case *adminv1.Resource_StreamRoute:
		return decodeStreamRoute(name, spec.StreamRoute)
	case *adminv1.Resource_Backend:
		return &config.Backend{
			Name: name, Protocol: config.BackendProtocol(spec.Backend.GetProtocol()),
			Endpoints: spec.Backend.GetEndpoints(), Balancing: config.Balancing(spec.Backend.GetBalancing()),
			MaxConnections: spec.Backend.GetMaxConnections(), TLS: decodeBackendTLS(spec.Backend.GetTls()),
			ProxyProtocol: int(spec.Backend.GetProxyProtocol()),
			Unsupported:   unknown(spec.Backend),
		}
	case *adminv1.Resource_Endpoints:
		return decodeEndpoints(name, spec.Endpoints)
	case *adminv1.Resource_Certificate:
		return &config.Certificate{
			Name: name, Chain: spec.Certificate.GetChain(), Key: spec.Certificate.GetKey(),
			Unsupported: unknown(spec.Certificate),
		}
	case *adminv1.Resource_Settings:
		return decodeSettings(name, spec.Settings)
	}
	return &config.Unknown{Name: name, Reason: "spec: this proxy does not know the kind of the resource"}
}

func decodeBackendTLS(t *adminv1.BackendTls) *config.BackendTLS {
	if t == nil {
		return nil
	}
	decoded := &config.BackendTLS{
		Hostname: t.GetHostname(), Authorities: t.GetAuthorities(), SystemAuthorities: t.GetSystemAuthorities(),
		Certificate: t.GetCertificate(),
	}
	for _, name := range t.GetSubjectAltNames() {
		decoded.SubjectAltNames = append(decoded.SubjectAltNames, config.SubjectAltName{Hostname: name.GetHostname(), URI: name.GetUri()})
	}
	return decoded
}

func decodeRoute(name string, r *adminv1.Route) *config.Route {
	route := &config.Route{Name: name, Origin: decodeOrigin(r.GetOrigin()), Unsupported: unknownHere(r)}
	var reason string
	if route.Attachments, reason = decodeAttachments(r.GetAttachments()); reason != "" {
		route.Unsupported = reason
	}
	for _, rule := range r.GetRules() {
		route.Rules = append(route.Rules, decodeRule(rule))
	}
	return route
}

func decodeOrigin(o *adminv1.Origin) config.Origin {
	origin := config.Origin{Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()}
	if created := o.GetCreated(); created != nil {
		origin.Created = created.AsTime()
	}
	return origin
}

// decodeAttachments also says what of them this proxy does not know.
func decodeAttachments(all []*adminv1.Route_Attachment) (attachments []config.Attachment, unsupported string) {
	for _, a := range all {
		attachments = append(attachments, config.Attachment{Listener: a.GetListener(), Hostnames: a.GetHostnames()})
		if reason := unknown(a); reason != "" {
			unsupported = "attachments: " + reason
		}
	}
	return attachments, unsupported
}

func decodeRule(r *adminv1.Rule) config.Rule {
	rule := config.Rule{Name: r.GetName(), Unsupported: unknownHere(r), Filters: decodeFilters(r.GetFilters())}
	if timeouts := r.GetTimeouts(); timeouts != nil {
		rule.Timeouts = &config.Timeouts{
			Request: timeouts.GetRequest().AsDuration(), BackendRequest: timeouts.GetBackendRequest().AsDuration(),
		}
		if reason := unknown(timeouts); reason != "" {
			rule.Unsupported = "timeouts: " + reason
		}
	}
	if retry := r.GetRetry(); retry != nil {
		rule.Retry = &config.Retry{Codes: retry.GetCodes(), Attempts: retry.GetAttempts(), Backoff: retry.GetBackoff().AsDuration()}
		if reason := unknown(retry); reason != "" {
			rule.Unsupported = "retry: " + reason
		}
	}
	for _, m := range r.GetMatches() {
		rule.Matches = append(rule.Matches, config.Match{
			PathType: config.PathType(m.GetPath().GetType()), Path: m.GetPath().GetValue(), Method: m.GetMethod(),
			Headers: decodeValues(m.GetHeaders()), Query: decodeValues(m.GetQueryParameters()), Unsupported: unknown(m),
		})
	}
	for _, f := range r.GetFilters() {
		if reason := unknown(f); reason != "" {
			rule.Unsupported = "filters: " + reason
		}
	}
	for _, b := range r.GetBackends() {
		rule.Backends = append(rule.Backends, config.WeightedBackend{
			Backend: b.GetBackend(), Weight: b.GetWeight(), Filters: decodeFilters(b.GetFilters()),
		})
		if reason := unknown(b); reason != "" {
			rule.Unsupported = "backends: " + reason
		}
	}
	return rule
}

func decodeValues(values []*adminv1.ValueMatch) []config.ValueMatch {
	decoded := make([]config.ValueMatch, 0, len(values))
	for _, v := range values {
		decoded = append(decoded, config.ValueMatch{
			Name: v.GetName(), Type: config.ValueType(v.GetType()), Value: v.GetValue(),
		})
	}
	return decoded
}

func decodeEndpoints(name string, e *adminv1.Endpoints) *config.Endpoints {
	endpoints := &config.Endpoints{Name: name, Unsupported: unknown(e)}
	for _, endpoint := range e.GetEndpoints() {
		endpoints.Endpoints = append(endpoints.Endpoints, config.Endpoint{
			Address: endpoint.GetAddress(), Port: endpoint.GetPort(),
			State: config.EndpointState(endpoint.GetState()),
		})
	}
	return endpoints
}

func decodeSettings(name string, s *adminv1.Settings) *config.Settings {
	limits := s.GetLimits()
	if limits == nil {
		limits = &adminv1.Limits{}
	}
	return &config.Settings{
		Name:        name,
		TrustedHops: s.GetTrustedHops(),
		Limits: config.Limits{
			MaxRequestLineBytes:  limits.MaxRequestLineBytes,
			MaxHeaderBytes:       limits.MaxHeaderBytes,
			MaxFields:            limits.MaxFields,
			MaxTrailerBytes:      limits.MaxTrailerBytes,
			MaxConcurrentStreams: limits.MaxConcurrentStreams,
			MaxBodyBytes:         limits.MaxBodyBytes,
			HeaderTimeout:        decodeDuration(limits.GetHeaderTimeout()),
			IdleTimeout:          decodeDuration(limits.GetIdleTimeout()),
			BodyTimeout:          decodeDuration(limits.GetBodyTimeout()),
			WriteTimeout:         decodeDuration(limits.GetWriteTimeout()),
			ConnectTimeout:       decodeDuration(limits.GetConnectTimeout()),
			ResponseTimeout:      decodeDuration(limits.GetResponseTimeout()),
			StreamTimeout:        decodeDuration(limits.GetStreamTimeout()),
			StreamIdleTimeout:    decodeDuration(limits.GetStreamIdleTimeout()),
			DatagramIdleTimeout:  decodeDuration(limits.GetDatagramIdleTimeout()),
			MaxDatagramSessions:  limits.MaxDatagramSessions,
		},
		Unsupported: unknown(s),
	}
}

func decodeDuration(d *durationpb.Duration) *time.Duration {
	if d == nil {
		return nil
	}
	decoded := d.AsDuration()
	return &decoded
}

// unknownHere says which fields of a message itself this proxy does not know; empty for none.
func unknownHere(m proto.Message) string {
	raw := m.ProtoReflect().GetUnknown()
	if len(raw) == 0 {
		return ""
	}
	number := protoreflect.FieldNumber(0)
	if n, _, size := protowire.ConsumeTag(raw); size > 0 {
		number = n
	}
	return fmt.Sprintf("%s: this proxy does not know field %d", m.ProtoReflect().Descriptor().Name(), number)
}

// unknown says the same of a message and of all messages in it.
func unknown(m proto.Message) string {
	if reason := unknownHere(m); reason != "" {
		return reason
	}
	reason := ""
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Message() == nil || field.IsMap() {
			return true
		}
		if !field.IsList() {
			reason = unknown(value.Message().Interface())
			return reason == ""
		}
		for i := range value.List().Len() {
			if reason = unknown(value.List().Get(i).Message().Interface()); reason != "" {
				return false
			}
		}
		return true
	})
	return reason
}
