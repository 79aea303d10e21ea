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

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/pki"
)

// identities gives each Gateway's proxies their certificate, in a Secret beside the other objects made for the Gateway.
type identities struct {
	client client.Reader
	// authority is the certificate authority in use; nil until it was read.
	authority func() *pki.Authority
	now       func() time.Time
}

// secret is the Secret as it should be, and when to look again. What it holds is kept while it is good, so that
// applying it changes nothing; it is issued anew when two thirds of its life are over, when the authority's bundle
// changed, or when it is missing or damaged.
func (i *identities) secret(ctx context.Context, gateway *gatewayv1.Gateway, like *unstructured.Unstructured) (*unstructured.Unstructured, time.Time, error) {
	key := types.NamespacedName{Namespace: like.GetNamespace(), Name: like.GetName()}
	data, err := i.current(ctx, gateway, key)
	if err != nil {
		return nil, time.Time{}, err
	}
	authority := i.authority()
	if authority == nil {
		return nil, time.Time{}, errors.New("the certificate authority has not been read yet")
	}
	if reason := authority.ProxyIdentityDue(gateway.Namespace, gateway.Name, data, i.now()); reason != "" {
		ctrl.LoggerFrom(ctx).Info("issuing the identity of the Gateway's proxies", "secret", key, "reason", reason)
		certificate, privateKey, bundle, _, err := authority.IssueProxy(gateway.Namespace, gateway.Name, i.now())
		if err != nil {
			return nil, time.Time{}, err
		}
		data = map[string][]byte{
			pki.CertificateKey: certificate,
			pki.PrivateKeyKey:  privateKey,
			pki.BundleKey:      bundle,
		}
	}
	renewAt, err := pki.RenewAt(data[pki.CertificateKey])
	if err != nil {
		return nil, time.Time{}, err
	}
	secret, err := identitySecret(like, data)
	return secret, renewAt, err
}

// current is what the Secret holds, if it is there and the Gateway's.
func (i *identities) current(ctx context.Context, gateway *gatewayv1.Gateway, key types.NamespacedName) (map[string][]byte, error) {
	secret := &corev1.Secret{}
	err := i.client.Get(ctx, key, secret)
	if apierrors.IsNotFound(err) || err == nil && !metav1.IsControlledBy(secret, gateway) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get Secret %s: %w", key, err)
	}
	return secret.Data, nil
}

// identitySecret has the metadata of another object that was rendered for the Gateway.
func identitySecret(like *unstructured.Unstructured, data map[string][]byte) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       like.GetNamespace(),
			Name:            like.GetName(),
			Labels:          like.GetLabels(),
			Annotations:     like.GetAnnotations(),
			OwnerReferences: like.GetOwnerReferences(),
		},
		Type: corev1.SecretTypeTLS,
		Data: data,
	})
	if err != nil {
		return nil, fmt.Errorf("convert Secret %s/%s: %w", like.GetNamespace(), like.GetName(), err)
	}
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	return &unstructured.Unstructured{Object: content}, nil
}
