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

package translate

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// filterSpecs renders filters in their order.
func filterSpecs(filters []topology.Filter) []*adminv1.Filter {
	if len(filters) == 0 {
		return nil
	}
	specs := make([]*adminv1.Filter, 0, len(filters))
	for i := range filters {
		// "must be dropped from the Gateway" (HTTPRequestMirrorFilter.backendRef)
		if mirror := filters[i].Mirror; mirror != nil && !mirror.Backend.Reachable() {
			continue
		}
		specs = append(specs, filterSpec(&filters[i]))
	}
	return specs
}

func filterSpec(f *topology.Filter) *adminv1.Filter {
	switch {
	case f.RequestHeaders != nil:
		return &adminv1.Filter{Filter: &adminv1.Filter_RequestHeaders{RequestHeaders: headersSpec(f.RequestHeaders)}}
	case f.ResponseHeaders != nil:
		return &adminv1.Filter{Filter: &adminv1.Filter_ResponseHeaders{ResponseHeaders: headersSpec(f.ResponseHeaders)}}
	case f.Redirect != nil:
		return &adminv1.Filter{Filter: &adminv1.Filter_Redirect{Redirect: redirectSpec(f.Redirect)}}
	case f.CORS != nil:
		return &adminv1.Filter{Filter: &adminv1.Filter_Cors{Cors: corsSpec(f.CORS)}}
	case f.Mirror != nil:
		return &adminv1.Filter{Filter: &adminv1.Filter_Mirror{Mirror: &adminv1.Mirror{
			Backend: topology.BackendName(f.Mirror.Backend.BackendRef), Numerator: f.Mirror.Numerator, Denominator: f.Mirror.Denominator,
		}}}
	case f.Rewrite != nil:
		rewrite := &adminv1.Rewrite{Path: modifierSpec(f.Rewrite.Path)}
		if f.Rewrite.Hostname != nil {
			rewrite.Hostname = string(*f.Rewrite.Hostname)
		}
		return &adminv1.Filter{Filter: &adminv1.Filter_Rewrite{Rewrite: rewrite}}
	}
	// The proxy takes a filter without a kind for one that it does not know, and answers 500.
	return &adminv1.Filter{}
}

// defaultRedirectStatus is the API's default.
const defaultRedirectStatus = 302

func redirectSpec(f *gatewayv1.HTTPRequestRedirectFilter) *adminv1.Redirect {
	spec := &adminv1.Redirect{Path: modifierSpec(f.Path), Status: defaultRedirectStatus}
	if f.Scheme != nil {
		spec.Scheme = *f.Scheme
	}
	if f.Hostname != nil {
		spec.Hostname = string(*f.Hostname)
	}
	if f.Port != nil {
		spec.Port = uint32(*f.Port)
	}
	if f.StatusCode != nil {
		spec.Status = uint32(*f.StatusCode)
	}
	return spec
}

// defaultMaxAge: "When the `MaxAge` field is unspecified, the gateway sets the response header "Access-Control-Max-Age: 5"
// by default." (HTTPCORSFilter.maxAge)
const defaultMaxAge = 5

func corsSpec(f *gatewayv1.HTTPCORSFilter) *adminv1.Cors {
	spec := &adminv1.Cors{
		AllowOrigins: texts(f.AllowOrigins), AllowMethods: texts(f.AllowMethods),
		AllowHeaders: texts(f.AllowHeaders), ExposeHeaders: texts(f.ExposeHeaders), MaxAge: defaultMaxAge,
	}
	if f.AllowCredentials != nil {
		spec.AllowCredentials = *f.AllowCredentials
	}
	if f.MaxAge > 0 {
		spec.MaxAge = uint32(f.MaxAge)
	}
	return spec
}

func texts[T ~string](values []T) []string {
	plain := make([]string, len(values))
	for i := range values {
		plain[i] = string(values[i])
	}
	return plain
}

func modifierSpec(m *gatewayv1.HTTPPathModifier) *adminv1.PathModifier {
	switch {
	case m == nil:
		return nil
	case m.Type == gatewayv1.FullPathHTTPPathModifier:
		return &adminv1.PathModifier{Modifier: &adminv1.PathModifier_Full{Full: *m.ReplaceFullPath}}
	}
	return &adminv1.PathModifier{Modifier: &adminv1.PathModifier_Prefix{Prefix: *m.ReplacePrefixMatch}}
}

func headersSpec(f *gatewayv1.HTTPHeaderFilter) *adminv1.HeaderModifier {
	return &adminv1.HeaderModifier{Set: fieldSpecs(f.Set), Add: fieldSpecs(f.Add), Remove: f.Remove}
}

func fieldSpecs(headers []gatewayv1.HTTPHeader) []*adminv1.HeaderField {
	specs := make([]*adminv1.HeaderField, 0, len(headers))
	for i := range headers {
		specs = append(specs, &adminv1.HeaderField{Name: string(headers[i].Name), Value: headers[i].Value})
	}
	return specs
}
