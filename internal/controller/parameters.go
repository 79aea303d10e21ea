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

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/manifest"
)

// parametersFault says why a parametersRef cannot be used. It is the user's to mend, and ends as InvalidParameters.
type parametersFault struct {
	message string
}

// Error names the field and the object.
func (f *parametersFault) Error() string { return f.message }

// parameters are what a Gateway's proxy is rendered with.
type parameters struct {
	merged       v1alpha1.GatewayParametersSpec
	classPatches int
	// read are the objects that they are of.
	read []client.Object
}

// parameters loads the class's and the Gateway's parameters and merges them, class first. A *parametersFault says that
// a reference leads nowhere.
func (l *loader) parameters(ctx context.Context, class *gatewayv1.GatewayClass, gateway *gatewayv1.Gateway) (parameters, error) {
	ofClass, err := l.classParameters(ctx, class)
	if fault := (*parametersFault)(nil); errors.As(err, &fault) {
		return parameters{}, &parametersFault{fmt.Sprintf("GatewayClass %s: %s", class.Name, fault.message)}
	}
	if err != nil {
		return parameters{}, err
	}
	ofGateway, err := l.gatewayParameters(ctx, gateway)
	if err != nil {
		return parameters{}, err
	}
	out := parameters{merged: manifest.Merge(specOf(ofClass), specOf(ofGateway))}
	if ofClass != nil {
		out.classPatches = len(ofClass.Spec.Patches)
		out.read = append(out.read, ofClass)
	}
	if ofGateway != nil {
		out.read = append(out.read, ofGateway)
	}
	return out, nil
}

func specOf(parameters *v1alpha1.GatewayParameters) *v1alpha1.GatewayParametersSpec {
	if parameters == nil {
		return nil
	}
	return &parameters.Spec
}

// classParameters are nil where the class refers to none.
func (l *loader) classParameters(ctx context.Context, class *gatewayv1.GatewayClass) (*v1alpha1.GatewayParameters, error) {
	ref := class.Spec.ParametersRef
	if ref == nil {
		return nil, nil
	}
	if !isParameters(ref.Group, ref.Kind) {
		return nil, foreignParameters("spec.parametersRef", ref.Group, ref.Kind)
	}
	if ref.Namespace == nil {
		return nil, &parametersFault{"spec.parametersRef.namespace: is required, GatewayParameters are namespaced"}
	}
	return l.parametersAt(ctx, "spec.parametersRef", types.NamespacedName{Namespace: string(*ref.Namespace), Name: ref.Name})
}

// gatewayParameters are nil where the Gateway refers to none.
func (l *loader) gatewayParameters(ctx context.Context, gateway *gatewayv1.Gateway) (*v1alpha1.GatewayParameters, error) {
	if gateway.Spec.Infrastructure == nil || gateway.Spec.Infrastructure.ParametersRef == nil {
		return nil, nil
	}
	ref := gateway.Spec.Infrastructure.ParametersRef
	const field = "spec.infrastructure.parametersRef"
	if !isParameters(ref.Group, ref.Kind) {
		return nil, foreignParameters(field, ref.Group, ref.Kind)
	}
	return l.parametersAt(ctx, field, types.NamespacedName{Namespace: gateway.Namespace, Name: ref.Name})
}

func (l *loader) parametersAt(ctx context.Context, field string, key types.NamespacedName) (*v1alpha1.GatewayParameters, error) {
	object := &v1alpha1.GatewayParameters{}
	err := l.client.Get(ctx, key, object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil, &parametersFault{fmt.Sprintf("%s: GatewayParameters %s does not exist", field, key)}
	}
	if err != nil {
		return nil, fmt.Errorf("get GatewayParameters %s: %w", key, err)
	}
	return object, nil
}

func foreignParameters(field string, group gatewayv1.Group, kind gatewayv1.Kind) error {
	return &parametersFault{fmt.Sprintf("%s: group %q and kind %q cannot be used; it must be %s of group %s",
		field, group, kind, v1alpha1.KindGatewayParameters, v1alpha1.GroupVersion.Group)}
}
