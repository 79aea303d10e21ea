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

package controller

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// A Service that is only a mirror concerns the Gateway as one that is a backend does.
func TestServicesOfARoute(t *testing.T) {
	ref := func(name string) gatewayv1.BackendObjectReference {
		return gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(name)}
	}
	mirror := func(to gatewayv1.BackendObjectReference) gatewayv1.HTTPRouteFilter {
		return gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterRequestMirror, RequestMirror: &gatewayv1.HTTPRequestMirrorFilter{BackendRef: to}}
	}
	foreign, other := ref("foreign"), ref("other")
	foreign.Namespace = new(gatewayv1.Namespace("vault"))
	other.Kind = new(gatewayv1.Kind("Other"))
	route := &gatewayv1.HTTPRoute{}
	route.Namespace = "shop"
	backend := gatewayv1.HTTPBackendRef{Filters: []gatewayv1.HTTPRouteFilter{mirror(ref("of-backend")), {}}}
	backend.BackendObjectReference = ref("backend")
	route.Spec.Rules = []gatewayv1.HTTPRouteRule{{
		BackendRefs: []gatewayv1.HTTPBackendRef{backend},
		Filters:     []gatewayv1.HTTPRouteFilter{mirror(foreign), mirror(other), mirror(ref("backend"))},
	}}
	want := []types.NamespacedName{
		{Namespace: "shop", Name: "backend"}, {Namespace: "shop", Name: "of-backend"}, {Namespace: "vault", Name: "foreign"},
	}
	if diff := cmp.Diff(want, routeServices(route)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
