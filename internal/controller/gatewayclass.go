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
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

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
	_, err := r.loader.classParameters(ctx, class)
	if fault := (*parametersFault)(nil); errors.As(err, &fault) {
		facts.Parameters = &topology.Problem{
			Reason:  string(gatewayv1.GatewayClassReasonInvalidParameters),
			Message: fault.message,
		}
	} else if err != nil {
		return nil, err
	}
	for name := range neededCRDs {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		err := r.client.Get(ctx, client.ObjectKey{Name: name}, crd, client.UnsafeDisableDeepCopy)
		switch {
		case apierrors.IsNotFound(err):
			facts.MissingCRDs = append(facts.MissingCRDs, name)
		case err != nil:
			return nil, fmt.Errorf("get CRD %s: %w", name, err)
		case strings.HasSuffix(name, "."+gatewayv1.GroupName):
			facts.CRDVersions[name] = crd.Annotations[consts.BundleVersionAnnotation]
		}
	}
	return facts, nil
}
