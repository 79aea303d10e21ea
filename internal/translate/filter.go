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
	specs := make([]*adminv1.Filter, len(filters))
	for i := range filters {
		specs[i] = filterSpec(&filters[i])
	}
	return specs
}

func filterSpec(f *topology.Filter) *adminv1.Filter {
	switch {
	case f.RequestHeaders != nil:
		return &adminv1.Filter{Filter: &adminv1.Filter_RequestHeaders{RequestHeaders: headersSpec(f.RequestHeaders)}}
	case f.ResponseHeaders != nil:
		return &adminv1.Filter{Filter: &adminv1.Filter_ResponseHeaders{ResponseHeaders: headersSpec(f.ResponseHeaders)}}
	}
	// The proxy takes a filter without a kind for one that it does not know, and answers 500.
	return &adminv1.Filter{}
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
