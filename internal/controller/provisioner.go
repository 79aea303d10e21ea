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
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/internal/provision"
	"github.com/rauta-dev/rauta/internal/topology"
)

// reasonCollision is the reason of Programmed=False where an object of somebody else has a wanted name, and
// reasonRefused where the API server does not take what was rendered. The specification has no reason for either.
const (
	reasonCollision = "Collision"
	reasonRejected  = "Rejected"
)

// blockedPause is how soon a Gateway is tried again whose objects cannot be applied.
const blockedPause = 15 * time.Second

// provisioner renders a Gateway's objects and applies them.
type provisioner struct {
	loader     *loader
	identities *identities
	applier    *provision.Applier
	handover   *handover
	// rendered remembers what did not change, so that a changed route renders nothing.
	rendered          manifest.Memo
	image             string
	operatorNamespace string
}

// made is what came of provisioning one Gateway.
type made struct {
	// service is the proxy's Service.
	service types.NamespacedName
	// invalid and blocked are what a person has to mend; nil when nothing.
	invalid, blocked *topology.Problem
	// parameters that the proxy was rendered with; nil where they cannot be used or read.
	parameters *v1alpha1.GatewayParametersSpec
	// renewAt is when the proxies' identity has to be renewed; zero when there is none.
	renewAt time.Time
}

// again is how long the Gateway may go unlooked at: until its identity has to be renewed, or, while something stands in
// the way that no watch shows (an object of somebody else, a quota), a short while.
func (m *made) again(now time.Time) time.Duration {
	if m.blocked != nil {
		return blockedPause
	}
	if m.renewAt.IsZero() {
		return 0
	}
	return max(m.renewAt.Sub(now), time.Second)
}

// wanted are the objects of a Gateway's proxy, and those by which it was decided that they are.
type wanted struct {
	objects []*unstructured.Unstructured
	basis   []client.Object
}

// prepare renders what the Gateway's proxy needs. What a person has to mend comes back in made and leaves what already runs as it is; an
// error is worth another try. In both cases nothing is wanted.
func (p *provisioner) prepare(ctx context.Context, class *gatewayv1.GatewayClass, gateway *gatewayv1.Gateway, decided *topology.Topology) (*made, *wanted, error) {
	out := &made{service: types.NamespacedName{Namespace: gateway.Namespace, Name: manifest.Name(gateway.Name, class.Name)}}
	rendered, parameters, err := p.render(ctx, class, gateway, decided)
	if problem := parametersProblem(err); problem != nil {
		out.invalid = problem
		return out, nil, p.followRunning(ctx, gateway, out.service)
	}
	if err != nil {
		return out, nil, err
	}
	out.parameters = &parameters.merged
	p.handover.setAdminPort(decided.Gateway, rendered.AdminPort)
	secret, renewAt, err := p.identities.secret(ctx, gateway, metadataOf(rendered))
	if err != nil {
		return out, nil, err
	}
	out.renewAt = renewAt
	return out, &wanted{
		objects: append(rendered.Objects, secret), basis: append([]client.Object{gateway, class}, parameters.read...),
	}, nil
}

// apply makes the cluster hold what is wanted, and says what a person has to mend for that.
func (p *provisioner) apply(ctx context.Context, gateway *gatewayv1.Gateway, wanted *wanted) (*topology.Problem, error) {
	if wanted == nil {
		return nil, nil
	}
	err := p.applier.Apply(ctx, gateway, wanted.objects, wanted.basis...)
	if problem := applyProblem(err); problem != nil {
		ctrl.LoggerFrom(ctx).Info("the Gateway's objects cannot be applied", "reason", problem.Reason, "message", problem.Message)
		return problem, nil
	}
	if err != nil {
		return nil, fmt.Errorf("apply objects of Gateway %s/%s: %w", gateway.Namespace, gateway.Name, err)
	}
	return nil, nil
}

// followRunning finds the admin port of the proxy that runs where none could be rendered: whatever is wrong with the
// parameters, routes keep being pushed to it, also by an operator that has just started.
func (p *provisioner) followRunning(ctx context.Context, gateway *gatewayv1.Gateway, key types.NamespacedName) error {
	name := client.ObjectKeyFromObject(gateway)
	if p.handover.adminPort(name) != 0 {
		return nil
	}
	deployment := &appsv1.Deployment{}
	err := p.loader.client.Get(ctx, key, deployment, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("get Deployment %s: %w", key, err)
	}
	if !metav1.IsControlledBy(deployment, gateway) {
		return nil
	}
	if port := manifest.AdminPort(deployment); port != 0 {
		p.handover.setAdminPort(name, port)
	}
	return nil
}

// remove deletes what was made for a Gateway that has become somebody else's by its class.
func (p *provisioner) remove(ctx context.Context, class *gatewayv1.GatewayClass, gateway *gatewayv1.Gateway) error {
	spared := map[string]string{manifest.LabelGatewayClassName: manifest.LabelValue(class.Name)}
	if err := p.applier.Release(ctx, gateway, spared, gateway, class); err != nil {
		return fmt.Errorf("remove objects of Gateway %s/%s: %w", gateway.Namespace, gateway.Name, err)
	}
	return nil
}

// forget drops what is remembered of a Gateway that is gone or somebody else's.
func (p *provisioner) forget(gateway types.NamespacedName) {
	p.applier.Forget(gateway)
	p.rendered.Forget(gateway)
}

func (p *provisioner) render(ctx context.Context, class *gatewayv1.GatewayClass, gateway *gatewayv1.Gateway, decided *topology.Topology) (*manifest.Output, parameters, error) {
	parameters, err := p.loader.parameters(ctx, class, gateway)
	if err != nil {
		return nil, parameters, err
	}
	rendered, err := p.rendered.Render(manifest.Input{
		Gateway:           gateway,
		ClassName:         class.Name,
		Parameters:        parameters.merged,
		ClassPatches:      parameters.classPatches,
		Image:             p.image,
		Ports:             listenerPorts(decided),
		OperatorNamespace: p.operatorNamespace,
		OperatorPodLabels: operatorPodLabels,
	})
	return rendered, parameters, faultOf(err, class, gateway)
}

// listenerPorts are the ports that served listeners want, each named after the first listener that wants it. They say
// nothing of an appProtocol: there are load balancers that probe a port of appProtocol http with a request for "/", and
// take a proxy whose routes answer 404 there for dead.
func listenerPorts(decided *topology.Topology) []manifest.ListenerPort {
	var ports []manifest.ListenerPort
	type port struct {
		number   int32
		protocol corev1.Protocol
	}
	seen := map[port]bool{}
	for i := range decided.Listeners {
		listener := &decided.Listeners[i]
		wanted := port{listener.Port, listener.Transport()}
		if !listener.Served() || seen[wanted] {
			continue
		}
		seen[wanted] = true
		ports = append(ports, manifest.ListenerPort{
			Name:     string(listener.Name),
			Port:     listener.Port,
			Protocol: wanted.protocol,
		})
	}
	return ports
}

// metadataOf is an object that was rendered, for its metadata: labels and annotations are those of all.
func metadataOf(rendered *manifest.Output) *unstructured.Unstructured {
	for _, object := range rendered.Objects {
		if object.GetKind() == "ConfigMap" {
			return object
		}
	}
	return rendered.Objects[0]
}

func parametersProblem(err error) *topology.Problem {
	if fault := (*parametersFault)(nil); errors.As(err, &fault) {
		return &topology.Problem{Reason: string(gatewayv1.GatewayReasonInvalidParameters), Message: fault.message}
	}
	return nil
}

// faultOf names the GatewayParameters in which a fault of rendering is to be mended.
func faultOf(err error, class *gatewayv1.GatewayClass, gateway *gatewayv1.Gateway) error {
	fault := (*manifest.ParametersError)(nil)
	if !errors.As(err, &fault) {
		return err
	}
	ofGateway, gatewayHas := gatewayParametersKey(gateway)
	ofClass, classHas := classParametersKey(class)
	where := fmt.Sprintf("GatewayParameters %s", ofGateway)
	switch {
	case classHas && (fault.FromClass || !gatewayHas):
		where = fmt.Sprintf("GatewayParameters %s of GatewayClass %s", ofClass, class.Name)
	case classHas:
		where += fmt.Sprintf(" or %s of GatewayClass %s", ofClass, class.Name)
	}
	return &parametersFault{fmt.Sprintf("%s: %s: %s", where, fault.Field, fault.Message)}
}

// applyProblem tells what a person has to mend from what another try may mend.
func applyProblem(err error) *topology.Problem {
	if err == nil {
		return nil
	}
	if collision := (*provision.CollisionError)(nil); errors.As(err, &collision) {
		return &topology.Problem{Reason: reasonCollision, Message: fmt.Sprintf(
			"%s, or rename the Gateway; it is left as it is, and nothing is provisioned", collision)}
	}
	if rejected := (*provision.RejectedError)(nil); errors.As(err, &rejected) {
		return &topology.Problem{Reason: reasonRejected, Message: fmt.Sprintf(
			"%s; check the GatewayParameters, quotas and admission policies", rejected)}
	}
	return nil
}
