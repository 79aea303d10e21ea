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

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// install puts the operator on the cluster, with identities that are short-lived, and begins it anew where it runs already.
func (w *world) install(ctx context.Context, crds, manifest string) error {
	if err := w.ApplyFolder(ctx, crds); err != nil {
		return err
	}
	if err := w.ApplyFile(ctx, manifest); err != nil {
		return err
	}
	class := &gatewayv1.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: className}, Spec: gatewayv1.GatewayClassSpec{ControllerName: controllerName},
	}
	if err := w.Client.Create(ctx, class); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create the GatewayClass: %w", err)
	}
	key := client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}
	err := change(ctx, w, key, &appsv1.Deployment{}, func(deployment *appsv1.Deployment) {
		deployment.Spec.Replicas = ptr.To[int32](operators)
		restartTemplate(deployment)
		container := &deployment.Spec.Template.Spec.Containers[0]
		const flag = "--identity-lifetime="
		container.Args = slices.DeleteFunc(container.Args, func(arg string) bool { return strings.HasPrefix(arg, flag) })
		container.Args = append(container.Args, flag+identityLifetime.String())
	})
	if err != nil {
		return err
	}
	if err := w.rolledOut(ctx, key); err != nil {
		return err
	}
	return w.operatorsReady(ctx, operators)
}
