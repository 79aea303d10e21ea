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

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// The names under which the parts of a topology are known in the proxy's table, in the errors that a proxy reports and
// in metrics. They are stable: a resource keeps its name as long as its object keeps its own.

// ListenerKey tells a listener from all others of a Gateway: its own, and those of its ListenerSets.
type ListenerKey struct {
	// Set is zero for the Gateway's own.
	Set  types.NamespacedName
	Name gatewayv1.SectionName
}

// String is for people and tests: "http", and "shop/extra/http" in a ListenerSet.
func (k ListenerKey) String() string {
	if !k.ofSet() {
		return string(k.Name)
	}
	return k.Set.String() + "/" + string(k.Name)
}

func (k ListenerKey) ofSet() bool { return k.Set.Name != "" }

// ListenerName is the resource name of a listener: "listener/http" of a Gateway, "listener/listenerset/shop/extra/http" of a
// ListenerSet. The name of a listener has no "/".
func ListenerName(key ListenerKey) string {
	if !key.ofSet() {
		return "listener/" + string(key.Name)
	}
	return "listener/listenerset/" + key.String()
}

// RouteName is the resource name of a route: "route/httproute/shop/cart".
func RouteName(kind gatewayv1.Kind, namespace, name string) string {
	return "route/" + strings.ToLower(string(kind)) + "/" + namespace + "/" + name
}

// PassthroughName is the resource name of a TLSRoute for listeners that pass TLS through: "route/tlsroute/shop/cart/passthrough".
func PassthroughName(routeName string) string { return routeName + "/passthrough" }

// spokenNames tell the resources of one port of a Service from each other by what is spoken to it.
var spokenNames = map[BackendProtocol]string{H2C: "/h2c", TCP: "/tcp", Passthrough: "/passthrough", UDP: "/udp"}

// BackendName is the resource name of a Service's port: "backend/service/shop/cart/80", and "backend/service/shop/cart/80/h2c"
// where HTTP/2 is spoken to it.
func BackendName(ref BackendRef) string {
	return fmt.Sprintf("backend/service/%s/%s/%d%s", ref.Service.Namespace, ref.Service.Name, ref.Port, spokenNames[ref.Protocol])
}

// EndpointsName is the resource name of the endpoints of a Service's port: "endpoints/service/shop/cart/80", and
// "endpoints/service/shop/dns/53/udp" of one for UDP, as a Service may have both of one number.
func EndpointsName(ref BackendRef) string {
	name := fmt.Sprintf("endpoints/service/%s/%s/%d", ref.Service.Namespace, ref.Service.Name, ref.Port)
	if ref.Protocol == UDP {
		name += "/udp"
	}
	return name
}

// CertificateName is the resource name of a Secret's certificate: "certificate/secret/shop/tls".
func CertificateName(secret types.NamespacedName) string {
	return "certificate/secret/" + secret.Namespace + "/" + secret.Name
}

func appendNew[T comparable](to []T, item T) []T {
	for _, have := range to {
		if have == item {
			return to
		}
	}
	return append(to, item)
}
