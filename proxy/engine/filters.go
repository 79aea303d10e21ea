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
	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/filter"
	"github.com/rauta-dev/rauta/proxy/message"
)

// chain makes the filters of a rule; nil for none.
func chain(planned []config.Filter) *filter.Chain {
	if len(planned) == 0 {
		return nil
	}
	c := &filter.Chain{}
	for _, f := range planned {
		switch {
		case f.RequestHeaders != nil:
			c.Requests = append(c.Requests, filter.NewRequestHeaders(headers(f.RequestHeaders)))
		case f.ResponseHeaders != nil:
			c.Responses = append(c.Responses, &filter.ResponseHeaders{Headers: headers(f.ResponseHeaders)})
		case f.Redirect != nil:
			c.Requests = append(c.Requests, redirect(f.Redirect))
		case f.CORS != nil:
			made := cors(f.CORS)
			c.Requests = append(c.Requests, made)
			c.Responses = append(c.Responses, made.Marks())
		case f.Mirror != nil:
			m := f.Mirror
			c.Requests = append(c.Requests, &filter.Mirror{Backend: m.Slot, Numerator: m.Numerator, Denominator: m.Denominator})
		case f.Rewrite != nil:
			c.Requests = append(c.Requests, &filter.Rewrite{Hostname: f.Rewrite.Hostname, Path: path(f.Rewrite.Path)})
		}
	}
	return c
}

// within makes the filters of a backend, whose responses pass those of the rule as well.
func within(rule *filter.Chain, planned []config.Filter) *filter.Chain {
	c := chain(planned)
	if c != nil && rule != nil {
		c.Responses = append(c.Responses, rule.Responses...)
	}
	return c
}

func cors(c *config.CORS) *filter.CORS {
	made := &filter.CORS{
		Credentials: c.AllowCredentials, Methods: c.AllowMethods, Headers: c.AllowHeaders, Exposed: c.ExposeHeaders, MaxAge: c.MaxAge,
	}
	for _, o := range c.Origins {
		made.Origins = append(made.Origins, filter.Origin(o))
	}
	return made.Ready()
}

func redirect(r *config.Redirect) *filter.Redirect {
	return &filter.Redirect{
		Scheme: r.Scheme, Hostname: r.Hostname, Port: uint16(r.Port), Path: path(r.Path), Status: int(r.Status),
	}
}

// path gives what a checked modifier does; nil when it keeps paths as they are.
func path(m *config.PathModifier) *filter.Path {
	switch {
	case m == nil:
		return nil
	case m.Full != nil:
		return &filter.Path{Full: *m.Full}
	}
	return &filter.Path{Prefix: *m.Prefix, Elements: m.Elements}
}

func headers(m *config.HeaderModifier) filter.Headers {
	return filter.Headers{Set: fields(m.Set), Add: fields(m.Add), Remove: m.Remove}
}

func fields(planned []config.Field) []message.Field {
	made := make([]message.Field, len(planned))
	for i, field := range planned {
		made[i] = message.Field{Name: field.Name, Value: field.Value}
	}
	return made
}
