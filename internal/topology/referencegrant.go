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
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

var grantFeatures = []features.FeatureName{
	features.SupportReferenceGrant,
}

// grants are the ReferenceGrants by the namespace that they open.
type grants map[string][]*gatewayv1.ReferenceGrant

func indexGrants(list []*gatewayv1.ReferenceGrant) grants {
	index := make(grants, len(list))
	for _, grant := range list {
		index[grant.Namespace] = append(index[grant.Namespace], grant)
	}
	return index
}

// grantee is who refers: a kind of the Gateway API in a namespace.
type grantee struct {
	kind      gatewayv1.Kind
	namespace string
}

// allow reports whether the grantee may refer to an object of a core kind.
//
// "A ReferenceGrant can be used to enable cross namespace references [...] Each ReferenceGrant's spec can be thought of
// as a list of From and a list of To": one entry of each must fit, within the same grant.
func (g grants) allow(from grantee, kind gatewayv1.Kind, to types.NamespacedName) bool {
	for _, grant := range g[to.Namespace] {
		if grantsFrom(grant, from) && grantsTo(grant, kind, to.Name) {
			return true
		}
	}
	return false
}

func grantsFrom(grant *gatewayv1.ReferenceGrant, grantee grantee) bool {
	for _, from := range grant.Spec.From {
		if from.Group == gatewayv1.GroupName && from.Kind == grantee.kind && string(from.Namespace) == grantee.namespace {
			return true
		}
	}
	return false
}

func grantsTo(grant *gatewayv1.ReferenceGrant, kind gatewayv1.Kind, name string) bool {
	for _, to := range grant.Spec.To {
		if to.Group != coreGroup || to.Kind != kind {
			continue
		}
		// "Name is the name of the referent. When unspecified, this policy refers to all resources of the specified
		// Group and Kind in the local namespace." (ReferenceGrantTo)
		if to.Name == nil || *to.Name == "" || string(*to.Name) == name {
			return true
		}
	}
	return false
}
