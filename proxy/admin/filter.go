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
	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

// decodeFilters gives the filters in their order. One that this proxy does not know has no part that is set.
func decodeFilters(filters []*adminv1.Filter) []config.Filter {
	if len(filters) == 0 {
		return nil
	}
	decoded := make([]config.Filter, 0, len(filters))
	for _, f := range filters {
		decoded = append(decoded, decodeFilter(f))
	}
	return decoded
}

func decodeFilter(f *adminv1.Filter) config.Filter {
	switch part := f.GetFilter().(type) {
	case *adminv1.Filter_RequestHeaders:
		return config.Filter{RequestHeaders: decodeHeaders(part.RequestHeaders)}
	case *adminv1.Filter_ResponseHeaders:
		return config.Filter{ResponseHeaders: decodeHeaders(part.ResponseHeaders)}
	case *adminv1.Filter_Redirect:
		r := part.Redirect
		return config.Filter{Redirect: &config.Redirect{
			Scheme: r.GetScheme(), Hostname: r.GetHostname(), Port: r.GetPort(), Path: decodePath(r.GetPath()), Status: r.GetStatus(),
		}}
	case *adminv1.Filter_Rewrite:
		r := part.Rewrite
		return config.Filter{Rewrite: &config.Rewrite{Hostname: r.GetHostname(), Path: decodePath(r.GetPath())}}
	case *adminv1.Filter_Cors:
		c := part.Cors
		return config.Filter{CORS: &config.CORS{
			AllowOrigins: c.GetAllowOrigins(), AllowCredentials: c.GetAllowCredentials(), AllowMethods: c.GetAllowMethods(),
			AllowHeaders: c.GetAllowHeaders(), ExposeHeaders: c.GetExposeHeaders(), MaxAge: c.GetMaxAge(),
		}}
	case *adminv1.Filter_Mirror:
		m := part.Mirror
		return config.Filter{Mirror: &config.Mirror{
			Backend: m.GetBackend(), Numerator: m.GetNumerator(), Denominator: m.GetDenominator(),
		}}
	}
	return config.Filter{}
}

func decodePath(p *adminv1.PathModifier) *config.PathModifier {
	switch modifier := p.GetModifier().(type) {
	case *adminv1.PathModifier_Full:
		return &config.PathModifier{Full: &modifier.Full}
	case *adminv1.PathModifier_Prefix:
		return &config.PathModifier{Prefix: &modifier.Prefix}
	}
	if p == nil {
		return nil
	}
	return &config.PathModifier{}
}

func decodeHeaders(m *adminv1.HeaderModifier) *config.HeaderModifier {
	return &config.HeaderModifier{Set: decodeFields(m.GetSet()), Add: decodeFields(m.GetAdd()), Remove: m.GetRemove()}
}

func decodeFields(fields []*adminv1.HeaderField) []config.Field {
	decoded := make([]config.Field, 0, len(fields))
	for _, f := range fields {
		decoded = append(decoded, config.Field{Name: f.GetName(), Value: f.GetValue()})
	}
	return decoded
}
