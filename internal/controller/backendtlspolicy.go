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
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/status"
	"github.com/rauta-dev/rauta/internal/topology"
)

// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=backendtlspolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=backendtlspolicies/status,verbs=update

// The indexes of BackendTLSPolicies.
const (
	// policyByService: policy -> the Services that it targets.
	policyByService = "policy.service"
	// policyByConfigMap: policy -> the ConfigMaps that it names as certificate authorities.
	policyByConfigMap = "policy.config-map"
	// policyByGateway: policy -> the Gateways that our entries of its status name.
	policyByGateway = "policy.gateway"
)

// policies reads BackendTLSPolicies from the cache while their CRD is there. What it returns must not be changed.
type policies struct {
	*presence
	client client.Reader
}

func newPolicies(reader client.Reader) *policies {
	return &policies{client: reader, presence: &presence{kind: &gatewayv1.BackendTLSPolicy{}, plural: "BackendTLSPolicies"}}
}

func (p *policies) list(ctx context.Context, options ...client.ListOption) ([]*gatewayv1.BackendTLSPolicy, error) {
	found := &gatewayv1.BackendTLSPolicyList{}
	if err := p.presence.list(ctx, p.client, found, options...); err != nil {
		return nil, err
	}
	return pointers(found.Items), nil
}

// of are the policies of a Gateway: those that target its Services, and those that still carry our entry for it.
func (p *policies) of(ctx context.Context, in *topology.Input) ([]*gatewayv1.BackendTLSPolicy, error) {
	if !p.reads() {
		return nil, nil
	}
	found, err := p.list(ctx, client.MatchingFields{policyByGateway: client.ObjectKeyFromObject(in.Gateway).String()})
	if err != nil {
		return nil, err
	}
	seen := map[types.NamespacedName]bool{}
	for _, policy := range found {
		seen[client.ObjectKeyFromObject(policy)] = true
	}
	for _, service := range inputServices(in) {
		targeting, err := p.list(ctx, client.MatchingFields{policyByService: service.String()})
		if err != nil {
			return nil, err
		}
		for _, policy := range targeting {
			if key := client.ObjectKeyFromObject(policy); !seen[key] {
				seen[key] = true
				found = append(found, policy)
			}
		}
	}
	return found, nil
}

// inputServices are the Services that the routes name, whether or not they exist, each once.
func inputServices(in *topology.Input) []types.NamespacedName {
	var services []types.NamespacedName
	seen := map[types.NamespacedName]bool{}
	for _, route := range in.Unordered() {
		for _, service := range routeServices(route) {
			if !seen[service] {
				seen[service] = true
				services = append(services, service)
			}
		}
	}
	return services
}

// policies loads the BackendTLSPolicies of the Gateway's backends, and the ConfigMaps that those and the Gateway name.
func (l *loader) policies(ctx context.Context, in *topology.Input) error {
	found, err := l.backendPolicies.of(ctx, in)
	if err != nil {
		return fmt.Errorf("policies of Gateway %s: %w", client.ObjectKeyFromObject(in.Gateway), err)
	}
	in.BackendTLSPolicies = found
	keys := gatewayConfigMaps(in.Gateway)
	seen := map[types.NamespacedName]bool{}
	for _, policy := range found {
		for _, key := range topology.PolicyConfigMaps(policy) {
			if !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	in.ConfigMaps, err = l.configMaps(ctx, keys)
	return err
}

// byPolicy finds the Gateways that a policy concerns: those whose routes send to what it targets, and those that our entries
// name.
func (a *affected) byPolicy(ctx context.Context, object client.Object) []reconcile.Request {
	return requests(a.gatewaysOfPolicy(ctx, object.(*gatewayv1.BackendTLSPolicy)))
}

func (a *affected) gatewaysOfPolicy(ctx context.Context, policy *gatewayv1.BackendTLSPolicy) []types.NamespacedName {
	keys := policyGateways(policy, a.controllerName)
	for _, service := range topology.PolicyServices(policy) {
		keys = append(keys, a.routesOf(ctx, routeByService, service.String())...)
	}
	return keys
}

// gatewaysOfBundle finds the Gateways of the policies that name a ConfigMap as certificate authorities.
func (a *affected) gatewaysOfBundle(ctx context.Context, configMap string) []types.NamespacedName {
	found, err := a.policies.list(ctx, client.MatchingFields{policyByConfigMap: configMap})
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot look up whom a change concerns")
		return nil
	}
	var keys []types.NamespacedName
	for _, policy := range found {
		keys = append(keys, a.gatewaysOfPolicy(ctx, policy)...)
	}
	return keys
}

// policyGateways are the Gateways that our entries of a policy's status name.
func policyGateways(policy *gatewayv1.BackendTLSPolicy, controllerName gatewayv1.GatewayController) []types.NamespacedName {
	var keys []types.NamespacedName
	for i := range policy.Status.Ancestors {
		ancestor := &policy.Status.Ancestors[i]
		kind, key := topology.ParentOf(&ancestor.AncestorRef, policy.Namespace)
		if ancestor.ControllerName == controllerName && kind == gatewayKind {
			keys = appendNew(keys, key)
		}
	}
	return keys
}

func (o *operator) optionalPolicies() *optionalKind {
	return &optionalKind{
		presence: o.policies.presence,
		crd:      backendTLSPolicyCRD,
		index:    o.indexPolicies,
		watch: func() error {
			return o.watched(o.gateways, &gatewayv1.BackendTLSPolicy{}, o.affected.byPolicy, policyChanged)
		},
	}
}

func (o *operator) indexPolicies(ctx context.Context, indexer client.FieldIndexer) error {
	name := gatewayv1.GatewayController(o.options.ControllerName)
	for field, keys := range map[string]func(*gatewayv1.BackendTLSPolicy) []types.NamespacedName{
		policyByService:   topology.PolicyServices,
		policyByConfigMap: topology.PolicyConfigMaps,
		policyByGateway:   func(p *gatewayv1.BackendTLSPolicy) []types.NamespacedName { return policyGateways(p, name) },
	} {
		indexed := func(object client.Object) []string { return keyStrings(keys(object.(*gatewayv1.BackendTLSPolicy))) }
		if err := indexer.IndexField(ctx, &gatewayv1.BackendTLSPolicy{}, field, indexed); err != nil {
			return fmt.Errorf("index BackendTLSPolicies by %s: %w", field, err)
		}
	}
	return nil
}

// policyChanged lets through what changes what a policy asks, and whether its status has room for another Gateway.
var policyChanged predicate.TypedPredicate[client.Object] = predicate.Or[client.Object](
	predicate.GenerationChangedPredicate{},
	predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return true },
		UpdateFunc: func(e event.UpdateEvent) bool { return full(e.ObjectOld) != full(e.ObjectNew) },
	},
)

func full(object client.Object) bool {
	policy, ok := object.(*gatewayv1.BackendTLSPolicy)
	return ok && len(policy.Status.Ancestors) >= topology.MaxAncestors
}

// get gives a policy as it is in the cache; nil where there is none.
func (p *policies) get(ctx context.Context, key types.NamespacedName) (*gatewayv1.BackendTLSPolicy, error) {
	policy := &gatewayv1.BackendTLSPolicy{}
	there, err := p.presence.get(ctx, p.client, key, policy)
	if err != nil || !there {
		return nil, err
	}
	return policy, nil
}

// gatherPolicies collects the statuses of the policies that concern the Gateway, and of those that no longer do. They are made from the
// policies as they are now: those that were decided on may have got the entry of another Gateway since.
func (r *reporter) gatherPolicies(ctx context.Context, known *record, b *batch) (again time.Duration, err error) {
	if !known.untold.policies {
		return 0, nil
	}
	decided := make(map[types.NamespacedName]*topology.BackendTLSPolicy, len(known.decided.BackendTLSPolicies))
	for i := range known.decided.BackendTLSPolicies {
		policy := &known.decided.BackendTLSPolicies[i]
		decided[client.ObjectKeyFromObject(policy.Object)] = policy
	}
	for _, policy := range known.input.BackendTLSPolicies {
		key := client.ObjectKeyFromObject(policy)
		object, err := r.policies.get(ctx, key)
		if err != nil {
			return 0, err
		}
		if object == nil || object.Generation != policy.Generation || object.UID != policy.UID {
			continue // It will be decided again.
		}
		if known.outdated("BackendTLSPolicy", object) {
			again = cachePause
			continue
		}
		update := r.detachedPolicy(object, known.decided.Gateway)
		if concerned := decided[key]; concerned != nil {
			current := *concerned
			current.Object = object
			update.Status = status.BackendTLSPolicy(&current, known.decided, r.now())
		}
		if update.Differs() {
			b.policies = append(b.policies, update)
		}
	}
	known.untold.policies = again > 0
	return again, nil
}

func (r *reporter) detachedPolicy(policy *gatewayv1.BackendTLSPolicy, gateway types.NamespacedName) status.PolicyUpdate {
	return status.PolicyUpdate{Policy: policy, Status: status.BackendTLSPolicyDetached(policy, string(r.controllerName), gateway)}
}

// detachPolicies removes our entries for a Gateway that is gone, or not ours, from the policies that carry them.
func (r *reporter) detachPolicies(ctx context.Context, gateway types.NamespacedName, found []*gatewayv1.BackendTLSPolicy) error {
	updates := make([]status.PolicyUpdate, 0, len(found))
	for _, policy := range found {
		updates = append(updates, r.detachedPolicy(policy, gateway))
	}
	return r.writer.Policies(ctx, updates)
}
