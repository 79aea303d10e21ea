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
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/internal/status"
	"github.com/rauta-dev/rauta/internal/topology"
)

// classReconciler reports on the GatewayClasses that name this controller. Others are left alone.
type classReconciler struct {
	client         client.Reader
	controllerName gatewayv1.GatewayController
	loader         *loader
	writer         *status.Writer
	now            func() time.Time
}

// Reconcile writes one GatewayClass's status.
func (r *classReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	class := &gatewayv1.GatewayClass{}
	err := r.client.Get(ctx, request.NamespacedName, class)
	if apierrors.IsNotFound(err) || err == nil && class.Spec.ControllerName != r.controllerName {
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("get GatewayClass %s: %w", request.Name, err)
	}
	facts, err := r.facts(ctx, class)
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, r.writer.GatewayClass(ctx, class, status.GatewayClass(class, facts, r.now()))
}

func (r *classReconciler) facts(ctx context.Context, class *gatewayv1.GatewayClass) (*status.ClassFacts, error) {
	facts := &status.ClassFacts{CRDVersions: map[string]string{}}
	err := r.tryParameters(ctx, class)
	if fault := (*parametersFault)(nil); errors.As(err, &fault) {
		facts.Parameters = &topology.Problem{
			Reason:  string(gatewayv1.GatewayClassReasonInvalidParameters),
			Message: fault.message,
		}
	} else if err != nil {
		return nil, err
	}
	for _, name := range append(slices.Collect(maps.Keys(neededCRDs)), optionalCRDs...) {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		err := r.client.Get(ctx, client.ObjectKey{Name: name}, crd, client.UnsafeDisableDeepCopy)
		switch {
		case apierrors.IsNotFound(err) && slices.Contains(optionalCRDs, name):
		case apierrors.IsNotFound(err):
			facts.MissingCRDs = append(facts.MissingCRDs, name)
		case err != nil:
			return nil, fmt.Errorf("get CRD %s: %w", name, err)
		case strings.HasSuffix(name, "."+gatewayv1.GroupName):
			facts.CRDVersions[name] = crd.Annotations[consts.BundleVersionAnnotation]
			if name == "httproutes."+gatewayv1.GroupName {
				facts.ExperimentalRoutes = crd.Annotations[consts.ChannelAnnotation] == "experimental"
			}
		}
	}
	return facts, nil
}

// tryParameters renders a Gateway that does not exist with the class's parameters, so that what is wrong with them shows
// on the class, before any Gateway uses it.
func (r *classReconciler) tryParameters(ctx context.Context, class *gatewayv1.GatewayClass) error {
	parameters, err := r.loader.classParameters(ctx, class)
	if err != nil || parameters == nil {
		return err
	}
	gateway := &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "trial", UID: "trial"}}
	_, err = manifest.Render(manifest.Input{
		Gateway: gateway, ClassName: class.Name,
		Parameters: manifest.Merge(&parameters.Spec, nil), ClassPatches: len(parameters.Spec.Patches),
		Image: "trial", Ports: []manifest.ListenerPort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}},
		OperatorNamespace: "default", OperatorPodLabels: operatorPodLabels,
	})
	return faultOf(err, class, gateway)
}
