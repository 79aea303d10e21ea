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
	"slices"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// neededCRDs lists, by CRD name, the version that the operator reads. It does not start work without all of them.
var neededCRDs = map[string]string{
	"gatewayclasses." + gatewayv1.GroupName:            gatewayv1.GroupVersion.Version,
	"gateways." + gatewayv1.GroupName:                  gatewayv1.GroupVersion.Version,
	"httproutes." + gatewayv1.GroupName:                gatewayv1.GroupVersion.Version,
	"referencegrants." + gatewayv1.GroupName:           gatewayv1.GroupVersion.Version,
	"gatewayparameters." + v1alpha1.GroupVersion.Group: v1alpha1.GroupVersion.Version,
}

// These are needed for what they define alone: without them the operator works, and it follows when they come and go.
const (
	grpcRouteCRD        = "grpcroutes." + gatewayv1.GroupName
	listenerSetCRD      = "listenersets." + gatewayv1.GroupName
	backendTLSPolicyCRD = "backendtlspolicies." + gatewayv1.GroupName
	tlsRouteCRD         = "tlsroutes." + gatewayv1.GroupName
	tcpRouteCRD         = "tcproutes." + gatewayv1.GroupName
	udpRouteCRD         = "udproutes." + gatewayv1.GroupName
)

// optionalCRDs are the names of those.
var optionalCRDs = []string{grpcRouteCRD, tlsRouteCRD, tcpRouteCRD, udpRouteCRD, listenerSetCRD, backendTLSPolicyCRD}

// reminder is how often the operator says again that it waits for CRDs.
const reminder = time.Minute

// discoveryPause is how soon it is looked again whether the API server serves what CRDs define: of that there is no event.
const discoveryPause = 250 * time.Millisecond

// crdGate starts the operator's controllers once the CRDs that they watch are there. A watch of a kind that the API
// server does not know fails for ever, and a process that exits over it is a crash loop; so the gate waits, says in the
// log and in an Event on the operator's own pod what is missing, and goes on when it appears. It never installs,
// changes or removes a Gateway API CRD.
type crdGate struct {
	client client.Client
	// mapper knows the kinds that the API server serves.
	mapper   apimeta.RESTMapper
	recorder events.EventRecorder
	// pod is the operator's own, where Events go; nil outside a cluster.
	pod   *corev1.Pod
	start func(context.Context) error
	// optional are followed in this order.
	optional []*optionalKind
	// expect has the objects of an optional kind read, and does not wait for them.
	expect func(ctx context.Context, kind *optionalKind) error
	// follow is told, again and again, whether the CRD of an optional kind can be used.
	follow func(ctx context.Context, kind *optionalKind, there bool) error

	started bool
	// followed is set once all optional CRDs were followed for the first time. Until then what is read is incomplete.
	followed atomic.Bool
	// waits is set while a needed CRD is missing, before the controllers were started.
	waits  atomic.Bool
	failed chan error
	said   string
	saidAt time.Time
}

func (g *crdGate) setup(mgr ctrl.Manager) error {
	everything := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{}}
	})
	// Without a CRD there is no event, so the first look is asked for.
	first := source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		queue.Add(reconcile.Request{})
		return nil
	})
	if err := mgr.Add(g); err != nil {
		return fmt.Errorf("add the gate: %w", err)
	}
	options, elect := atATime(1), false
	options.NeedLeaderElection = &elect
	return ctrl.NewControllerManagedBy(mgr).
		Named("crd").
		Watches(&apiextensionsv1.CustomResourceDefinition{}, everything, builder.WithPredicates(predicate.NewPredicateFuncs(isReadCRD))).
		WatchesRawSource(first).
		WithOptions(options).
		Complete(g)
}

// Reconcile looks at all needed CRDs, whichever changed. It never runs twice at once.
func (g *crdGate) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	missing, err := missingCRDs(ctx, g.client)
	if err != nil {
		return reconcile.Result{}, err
	}
	again := reminder
	if len(missing) == 0 && !g.started {
		missing, err = g.undiscovered(ctx)
		again = discoveryPause
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	g.waits.Store(len(missing) > 0 && !g.started)
	if len(missing) > 0 {
		g.say(ctx, missing)
		return reconcile.Result{RequeueAfter: again}, nil
	}
	if g.said != "" {
		ctrl.LoggerFrom(ctx).Info("all needed CRDs are there")
		g.said = ""
	}
	if g.started {
		return reconcile.Result{}, g.followOptional(ctx)
	}
	g.started = true
	// The controllers outlive this reconcile, whose context ends with it; the manager stops them.
	if err := g.start(context.WithoutCancel(ctx)); err != nil {
		// What was added cannot be taken back, so that another try needs another process.
		g.failed <- fmt.Errorf("start controllers: %w", err)
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, g.followOptional(ctx)
}

// followOptional tells which of the optional CRDs can be used. A version that is not known to be served is none.
func (g *crdGate) followOptional(ctx context.Context) error {
	var failures []error
	usable := map[*optionalKind]bool{}
	for _, optional := range g.optional {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		err := g.client.Get(ctx, client.ObjectKey{Name: optional.crd}, crd, client.UnsafeDisableDeepCopy)
		if err != nil && !apierrors.IsNotFound(err) {
			failures = append(failures, fmt.Errorf("get CRD %s: %w", optional.crd, err))
			continue
		}
		usable[optional] = err == nil && crd.DeletionTimestamp.IsZero() && established(crd) && serves(crd, gatewayv1.GroupVersion.Version)
		// The first list of a kind may take a second: those of all kinds are under way at once.
		if usable[optional] && !optional.reads() {
			failures = append(failures, g.expect(context.WithoutCancel(ctx), optional))
		}
	}
	for _, optional := range g.optional {
		if there, known := usable[optional]; known {
			failures = append(failures, g.follow(context.WithoutCancel(ctx), optional, there))
		}
	}
	err := errors.Join(failures...)
	if err == nil {
		g.followed.Store(true)
	}
	return err
}

// Start ends the manager with an error when the controllers could not be started.
func (g *crdGate) Start(ctx context.Context) error {
	select {
	case err := <-g.failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// NeedLeaderElection is false: every replica watches, so that the next leader need not begin from nothing.
func (g *crdGate) NeedLeaderElection() bool { return false }

func (g *crdGate) say(ctx context.Context, missing []string) {
	message := strings.Join(missing, "; ")
	if message == g.said && time.Since(g.saidAt) < reminder {
		return
	}
	g.said, g.saidAt = message, time.Now()
	ctrl.LoggerFrom(ctx).Info("waiting for CRDs; install the Gateway API CRDs and RAUTA's own, work starts by itself", "missing", missing)
	if g.pod != nil {
		g.recorder.Eventf(g.pod, nil, corev1.EventTypeWarning, "WaitingForCRDs", "Wait",
			"Waiting for CRDs: %s. Install the Gateway API CRDs and RAUTA's own; work starts by itself.", message)
	}
}

// missingCRDs describes, sorted, each needed CRD that cannot be used yet, and why.
func missingCRDs(ctx context.Context, reader client.Reader) ([]string, error) {
	var missing []string
	for name, version := range neededCRDs {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		err := reader.Get(ctx, client.ObjectKey{Name: name}, crd)
		switch {
		case apierrors.IsNotFound(err):
			missing = append(missing, name+" is not installed")
		case err != nil:
			return nil, fmt.Errorf("get CRD %s: %w", name, err)
		case !serves(crd, version):
			missing = append(missing, fmt.Sprintf("%s does not serve version %s", name, version))
		case !established(crd):
			missing = append(missing, name+" is not established yet")
		}
	}
	slices.Sort(missing)
	return missing, nil
}

// undiscovered describes, sorted, each needed CRD whose kind the API server does not serve yet, although it has established the CRD: it does
// so a moment later. To read the kind before is an error, for which the controllers could not be started.
func (g *crdGate) undiscovered(ctx context.Context) ([]string, error) {
	var missing []string
	for name, version := range neededCRDs {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := g.client.Get(ctx, client.ObjectKey{Name: name}, crd, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("get CRD %s: %w", name, err)
		}
		_, err := g.mapper.RESTMapping(schema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind}, version)
		switch {
		case apimeta.IsNoMatchError(err):
			missing = append(missing, name+" is not served yet")
		case err != nil:
			return nil, fmt.Errorf("look for what CRD %s defines: %w", name, err)
		}
	}
	slices.Sort(missing)
	return missing, nil
}

// isReadCRD reports whether a CRD is one that the operator needs, or can use.
func isReadCRD(object client.Object) bool {
	_, needed := neededCRDs[object.GetName()]
	return needed || slices.Contains(optionalCRDs, object.GetName())
}

func serves(crd *apiextensionsv1.CustomResourceDefinition, version string) bool {
	return slices.ContainsFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return v.Name == version && v.Served
	})
}

func established(crd *apiextensionsv1.CustomResourceDefinition) bool {
	return slices.ContainsFunc(crd.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue
	})
}
