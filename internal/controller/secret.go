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
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rauta-dev/rauta/internal/topology"
)

// secrets reads the certificates of listeners. A Secret is parsed once for each of its versions. Of one that is broken or
// gone, what it last held is remembered as long as a listener of the Gateway names it, so that a replica that begins now
// serves as the others do. An operator that has just started remembers nothing, and leaves the replicas what they hold.
type secrets struct {
	client client.Reader

	mu sync.Mutex
	// known by Gateway, then by Secret.
	known map[types.NamespacedName]map[types.NamespacedName]knownSecret
}

// knownSecret is one version of a Secret, or what is known of it after it is gone.
type knownSecret struct {
	uid     types.UID
	version string
	read    *topology.TLSSecret
}

// of gives those Secrets of the keys, which are all that a Gateway and its ListenerSets name, each once. One that was never
// there is missing.
func (s *secrets) of(ctx context.Context, name types.NamespacedName, keys []types.NamespacedName) (map[types.NamespacedName]*topology.TLSSecret, error) {
	before := s.recall(name)
	now := map[types.NamespacedName]knownSecret{}
	found := map[types.NamespacedName]*topology.TLSSecret{}
	for _, key := range keys {
		known, err := s.read(ctx, key, before[key])
		if err != nil {
			return nil, err
		}
		if known.read != nil {
			now[key], found[key] = known, known.read
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[types.NamespacedName]map[types.NamespacedName]knownSecret{}
	}
	s.known[name] = now
	return found, nil
}

// forget drops what is remembered of a Gateway that is gone or somebody else's.
func (s *secrets) forget(gateway types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, gateway)
}

func (s *secrets) recall(gateway types.NamespacedName) map[types.NamespacedName]knownSecret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[gateway]
}

func (s *secrets) read(ctx context.Context, key types.NamespacedName, before knownSecret) (knownSecret, error) {
	secret := &corev1.Secret{}
	err := s.client.Get(ctx, key, secret, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return before.gone(), nil
	}
	if err != nil {
		return knownSecret{}, fmt.Errorf("get Secret %s: %w", key, err)
	}
	if before.read != nil && before.uid == secret.UID && before.version == secret.ResourceVersion {
		return before, nil
	}
	after := before.with(topology.ReadTLSSecret(secret))
	after.uid, after.version = secret.UID, secret.ResourceVersion
	return after, nil
}

// gone is what is known of a Secret that does not exist: what it held before, if that is known.
func (k knownSecret) gone() knownSecret {
	if k.read == nil || len(k.read.Chain) == 0 {
		return knownSecret{}
	}
	return k.with(&topology.TLSSecret{Fault: "does not exist any more, or is of another type than " + string(corev1.SecretTypeTLS)})
}

// with is what is known once the Secret was read: a fault leaves what it held before.
func (k knownSecret) with(read *topology.TLSSecret) knownSecret {
	if read.Fault == "" || k.read == nil || len(k.read.Chain) == 0 {
		return knownSecret{read: read}
	}
	return knownSecret{read: &topology.TLSSecret{Chain: k.read.Chain, Key: k.read.Key, Fault: read.Fault, Validity: k.read.Validity}}
}
