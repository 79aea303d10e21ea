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

// Package store keeps the operator's certificate authority in a Secret.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rauta-dev/rauta/internal/pki"
)

// SecretName is the name of the Secret that keeps the authority, in the operator's namespace.
const SecretName = "rauta-ca"

// attempts bounds how often Ensure starts over because another operator was quicker. Each loss means that somebody
// else won, so two are enough for two operators.
const attempts = 5

// Store reads and writes the Secret of the authority. Two operators that use it at once end up with one authority: the
// Secret is created only where none is, and changed only in the version that was read.
type Store struct {
	// Client should read past any cache: what a cache has not seen yet would only be lost to a conflict.
	Client client.Client
	// Namespace is the operator's.
	Namespace string
}

// Ensure is the authority that is valid at the given time: the stored one, advanced and written back when its time has
// come, or a new one where there is none. A Secret that cannot be read is a *pki.DamageError in an error that names the
// Secret, and is left as it is: replacing it would cut the operator off from every proxy that is running.
func (s *Store) Ensure(ctx context.Context, now time.Time) (*pki.Authority, error) {
	var lost error
	for range attempts {
		authority, err := s.ensureOnce(ctx, now)
		if err == nil {
			return authority, nil
		}
		if !apierrors.IsAlreadyExists(err) && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return nil, err
		}
		lost = err
	}
	return nil, fmt.Errorf("gave up after %d attempts: %w", attempts, lost)
}

func (s *Store) ensureOnce(ctx context.Context, now time.Time) (*pki.Authority, error) {
	secret := &corev1.Secret{}
	err := s.Client.Get(ctx, types.NamespacedName{Namespace: s.Namespace, Name: SecretName}, secret)
	if apierrors.IsNotFound(err) {
		return s.create(ctx, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s/%s: %w", s.Namespace, SecretName, err)
	}
	authority, err := pki.Decode(secret.Data)
	var damage *pki.DamageError
	if errors.As(err, &damage) {
		return nil, fmt.Errorf("secret %s/%s is damaged, %w; restore it, or delete it to begin with a new authority",
			s.Namespace, SecretName, err)
	}
	if err != nil {
		return nil, fmt.Errorf("decode secret %s/%s: %w", s.Namespace, SecretName, err)
	}
	advanced, changed, err := authority.Advance(now)
	if err != nil || !changed {
		return advanced, err
	}
	return advanced, s.update(ctx, secret, advanced)
}

func (s *Store) create(ctx context.Context, now time.Time) (*pki.Authority, error) {
	authority, err := pki.New(now)
	if err != nil {
		return nil, err
	}
	data, err := authority.Encode()
	if err != nil {
		return nil, err
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, Name: SecretName,
			Labels: map[string]string{"app.kubernetes.io/managed-by": "rauta", "app.kubernetes.io/component": "pki"},
		},
		Type: corev1.SecretTypeOpaque,
		Data: data,
	}
	if err := s.Client.Create(ctx, secret); err != nil {
		return nil, fmt.Errorf("create secret %s/%s: %w", s.Namespace, SecretName, err)
	}
	return authority, nil
}

// update replaces the data of the Secret in the version that was read.
func (s *Store) update(ctx context.Context, read *corev1.Secret, authority *pki.Authority) error {
	data, err := authority.Encode()
	if err != nil {
		return err
	}
	secret := read.DeepCopy()
	secret.Data = data
	if err := s.Client.Update(ctx, secret); err != nil {
		return fmt.Errorf("update secret %s/%s: %w", s.Namespace, SecretName, err)
	}
	return nil
}
