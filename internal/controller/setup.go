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

	"google.golang.org/grpc/credentials"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/leader"
	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/internal/pki/store"
	"github.com/rauta-dev/rauta/internal/provision"
	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/status"
)

// concurrentReconciles bounds how many Gateways, or Services' endpoints, are reconciled at a time.
const concurrentReconciles = 4

// ownLabels select the objects that were made for Gateways.
var ownLabels = labels.SelectorFromSet(labels.Set{"app.kubernetes.io/managed-by": "rauta"})

// operatorPodLabels select the operator's pods; config/manager gives them these labels.
var operatorPodLabels = map[string]string{
	"app.kubernetes.io/name": "rauta",
	"control-plane":          "controller-manager",
}

// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gatewayclasses;gateways;listenersets;httproutes;grpcroutes;tlsroutes;tcproutes;udproutes;referencegrants,verbs=get;list;watch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gatewayclasses/status;gateways/status;listenersets/status;httproutes/status;grpcroutes/status;tlsroutes/status;tcproutes/status;udproutes/status,verbs=update
// The next is for clusters that enforce owner references (OwnerReferencesPermissionEnforcement): what is made for a
// Gateway blocks its deletion in the foreground.
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=gateways/finalizers,verbs=update
// +kubebuilder:rbac:groups=gateway.rauta.dev,resources=gatewayparameters,verbs=get;list;watch
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=services;configmaps;serviceaccounts;secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=autoscaling,resources=horizontalpodautoscalers,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch,namespace=system
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;update,namespace=system

// operator is everything that the controllers share.
type operator struct {
	options  Options
	mgr      manager.Manager
	loader   *loader
	affected *affected
	routes   *routes
	policies *policies
	sets     *listenerSets
	// setRoutes is the controller of what becomes of routes when their ListenerSets go; nil until there were ListenerSets.
	setRoutes controller.Controller
	// setPokes are for it.
	setPokes pokes
	// gateways is the Gateways' controller; nil until it was added.
	gateways controller.Controller
	push     *push.Pusher
	handover *handover
	identity *pki.Operator
	writer   *status.Writer
	// pokes are for the Gateways' controller, statuses for the one that tells what was decided.
	pokes, statuses pokes
	records         *records
	// changes and routeChanges are the short way of routes, and its controller; nil until it was added.
	changes      *changesReconciler
	routeChanges controller.Controller
	// ready reports whether all kinds are read whose CRDs are there.
	ready func() bool
	gate  *crdGate
}

// setup adds to the manager what runs from the start: the keeper of the certificate authority, and the gate that adds
// the controllers once their CRDs are there.
func setup(mgr manager.Manager, options Options, fence *leader.Fence) (*operator, error) {
	name := gatewayv1.GatewayController(options.ControllerName)
	sender, err := status.NewSender(fence.Config(mgr.GetConfig()), mgr.GetScheme(), mgr.GetRESTMapper())
	if err != nil {
		return nil, err
	}
	writer, err := status.NewWriter(sender, name, options.Registerer)
	if err != nil {
		return nil, err
	}
	kinds, backendPolicies, sets := newRoutes(mgr.GetClient()), newPolicies(mgr.GetClient()), newListenerSets(mgr.GetClient())
	kept := newRecords()
	o := &operator{
		options:  options,
		routes:   kinds,
		policies: backendPolicies,
		sets:     sets,
		mgr:      mgr,
		loader: &loader{
			client: mgr.GetClient(), controllerName: name, secrets: &secrets{client: mgr.GetClient()}, kinds: kinds,
			backendPolicies: backendPolicies, sets: sets,
		},
		affected: &affected{client: mgr.GetClient(), controllerName: name, routes: kinds, policies: backendPolicies, sets: sets, records: kept},
		identity: pki.NewOperator(time.Now),
		records:  kept,
		writer:   writer,
	}
	if err := o.setupPush(fence); err != nil {
		return nil, err
	}
	gate := &crdGate{
		client:   mgr.GetClient(),
		mapper:   mgr.GetRESTMapper(),
		recorder: mgr.GetEventRecorder("rauta"),
		pod:      options.pod(),
		start:    o.start,
		optional: append(o.optionalRoutes(), o.optionalListenerSets(), o.optionalPolicies()),
		expect:   func(ctx context.Context, kind *optionalKind) error { return o.expect(ctx, kind.kind) },
		follow:   o.follow,
		failed:   make(chan error, 1),
	}
	o.gate, o.ready = gate, gate.followed.Load
	if err := mgr.AddReadyzCheck("caches", o.probe); err != nil {
		return nil, fmt.Errorf("add readiness check: %w", err)
	}
	return o, gate.setup(mgr)
}

// setupPush adds the pusher, which lives as long as the manager, and the keeper of its credentials.
func (o *operator) setupPush(fence *leader.Fence) error {
	live, err := client.New(o.mgr.GetConfig(), client.Options{Scheme: o.mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("create client: %w", err)
	}
	keeper := &store.Keeper{
		Store:        &store.Store{Client: live, Namespace: o.options.OperatorNamespace},
		Operator:     o.identity,
		Now:          time.Now,
		LeafLifetime: o.options.IdentityLifetime,
		OnChange:     o.pokeAll,
		Logger:       o.mgr.GetLogger().WithName("pki"),
	}
	if err := o.mgr.Add(keeper); err != nil {
		return fmt.Errorf("add the keeper of the certificate authority: %w", err)
	}
	o.push = push.New(push.Options{
		Credentials: func(key push.Key) credentials.TransportCredentials {
			return credentials.NewTLS(o.identity.TLS(key.Namespace, key.Name))
		},
		Logger:      o.mgr.GetLogger().WithName("push"),
		Registerer:  o.options.Registerer,
		Allowed:     fence.Push,
		DialOptions: o.options.DialOptions,
		OnChange:    func(key push.Key) { o.statuses.poke(reconcile.Request{NamespacedName: client.ObjectKey(key)}) },
	})
	o.handover = newHandover(o.loader, o.push)
	err = o.mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		<-ctx.Done()
		o.push.Close()
		return nil
	}))
	if err != nil {
		return fmt.Errorf("add the pusher: %w", err)
	}
	return nil
}

// start adds the indexes and the controllers; their CRDs are there.
func (o *operator) start(ctx context.Context) error {
	name := gatewayv1.GatewayController(o.options.ControllerName)
	if err := addIndexes(ctx, o.mgr.GetFieldIndexer(), name); err != nil {
		return err
	}
	if err := o.warm(ctx); err != nil {
		return err
	}
	if err := o.addClasses(name); err != nil {
		return fmt.Errorf("add GatewayClass controller: %w", err)
	}
	if err := o.addEndpoints(); err != nil {
		return fmt.Errorf("add endpoints controller: %w", err)
	}
	if err := o.addGateways(name); err != nil {
		return fmt.Errorf("add Gateway controller: %w", err)
	}
	if err := o.addRoutes(); err != nil {
		return fmt.Errorf("add routes controller: %w", err)
	}
	return nil
}

func (o *operator) addClasses(name gatewayv1.GatewayController) error {
	return ctrl.NewControllerManagedBy(o.mgr).
		Named("gatewayclass").
		For(&gatewayv1.GatewayClass{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.GatewayParameters{}, handler.EnqueueRequestsFromMapFunc(o.affected.classesByParameters)).
		Watches(&apiextensionsv1.CustomResourceDefinition{}, handler.EnqueueRequestsFromMapFunc(o.affected.allClasses),
			builder.WithPredicates(predicate.NewPredicateFuncs(isReadCRD))).
		WithOptions(atATime(1)).
		Complete(&classReconciler{
			client: o.mgr.GetClient(), controllerName: name, loader: o.loader, writer: o.writer, now: time.Now,
		})
}

func (o *operator) addEndpoints() error {
	return ctrl.NewControllerManagedBy(o.mgr).
		Named("endpoints").
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(servicesOfSlice)).
		WithOptions(atATime(concurrentReconciles)).
		Complete(&endpointsReconciler{client: o.mgr.GetClient(), affected: o.affected, handover: o.handover})
}

func (o *operator) addGateways(name gatewayv1.GatewayController) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	b := ctrl.NewControllerManagedBy(o.mgr).
		Named("gateway").
		For(&gatewayv1.Gateway{}, changed).
		Watches(&gatewayv1.GatewayClass{}, handler.EnqueueRequestsFromMapFunc(o.affected.byClass), changed).
		Watches(&gatewayv1.ReferenceGrant{}, handler.EnqueueRequestsFromMapFunc(o.affected.byGrant), changed).
		Watches(&v1alpha1.GatewayParameters{}, handler.EnqueueRequestsFromMapFunc(o.affected.byParameters), changed).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(o.affected.byNamespace),
			builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(o.affected.byOwner)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(o.affected.bySecret)).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(o.affected.byConfigMap)).
		WatchesRawSource(o.pokes.source()).
		WithOptions(atATime(concurrentReconciles))
	for _, kind := range provisionedKinds() {
		b = b.Watches(kind, handler.EnqueueRequestsFromMapFunc(o.affected.byOwner))
	}
	reporter := o.reporter(name)
	added, err := b.Build(o.gatewayReconciler(name, reporter))
	o.gateways = added
	if err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(o.mgr).
		Named("status").
		WatchesRawSource(o.statuses.source()).
		WithOptions(atATime(concurrentReconciles)).
		Complete(&statusReconciler{reporter: reporter, records: o.records})
}

// addRoutes adds the short way of routes.
func (o *operator) addRoutes() error {
	o.changes = &changesReconciler{
		affected: o.affected, loader: o.loader, handover: o.handover, push: o.push, records: o.records,
		whole: &o.pokes, statuses: &o.statuses, now: time.Now,
	}
	added, err := ctrl.NewControllerManagedBy(o.mgr).
		Named("routes").
		Watches(&gatewayv1.HTTPRoute{}, handler.EnqueueRequestsFromMapFunc(o.changes.byRoute), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(o.changes.byService)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(o.changes.bySecret)).
		WithOptions(atATime(concurrentReconciles)).
		Build(o.changes)
	o.routeChanges = added
	if err != nil {
		return err
	}
	return o.repair(&gatewayv1.HTTPRoute{})
}

func (o *operator) reporter(name gatewayv1.GatewayController) *reporter {
	return &reporter{
		client: o.mgr.GetClient(), live: o.mgr.GetAPIReader(), kinds: o.routes, sets: o.sets, policies: o.policies, push: o.push, writer: o.writer,
		controllerName: name, now: time.Now,
		waiting: map[client.ObjectKey]waiting{}, told: map[client.ObjectKey]int{},
	}
}

func (o *operator) gatewayReconciler(name gatewayv1.GatewayController, reporter *reporter) *gatewayReconciler {
	cached := o.mgr.GetClient()
	return &gatewayReconciler{
		client:         cached,
		controllerName: name,
		loader:         o.loader,
		handover:       o.handover,
		now:            time.Now,
		ready:          o.ready,
		provisioner: &provisioner{
			loader:            o.loader,
			identities:        &identities{client: cached, authority: o.identity.Authority, now: time.Now},
			applier:           &provision.Applier{Client: cached, Live: o.mgr.GetAPIReader()},
			handover:          o.handover,
			image:             o.options.ProxyImage,
			operatorNamespace: o.options.OperatorNamespace,
		},
		reporter: reporter, records: o.records, push: o.push, statuses: &o.statuses,
	}
}

// pokeAll has every Gateway looked at again.
func (o *operator) pokeAll() {
	for _, request := range o.affected.allGateways(context.Background()) {
		o.pokes.poke(request)
	}
}

// pod is the operator's own, as far as Events need it.
func (o Options) pod() *corev1.Pod {
	if o.OperatorPod == "" {
		return nil
	}
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: o.OperatorNamespace, Name: o.OperatorPod},
	}
}
