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

package store

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rauta-dev/rauta/internal/pki"
)

const (
	namespace = "rauta-system"
	day       = 24 * time.Hour
)

var (
	epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	name  = types.NamespacedName{Namespace: namespace, Name: SecretName}
)

func mustEnsure(t *testing.T, s *Store, now time.Time) *pki.Authority {
	t.Helper()
	authority, err := s.Ensure(context.Background(), now)
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func read(t *testing.T, c client.Client) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	if err := c.Get(context.Background(), name, secret); err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestEnsure(t *testing.T) {
	s := &Store{Client: fake.NewClientBuilder().Build(), Namespace: namespace}
	first := mustEnsure(t, s, epoch)
	created := read(t, s.Client)
	again := mustEnsure(t, s, epoch.Add(day))
	if !bytes.Equal(first.Bundle(), again.Bundle()) {
		t.Error("a second look made another authority")
	}
	if diff := cmp.Diff(created, read(t, s.Client)); diff != "" {
		t.Errorf("a look that finds nothing to do wrote: %s", diff)
	}
	advanced := mustEnsure(t, s, epoch.Add(183*day))
	if bytes.Equal(first.Bundle(), advanced.Bundle()) {
		t.Error("the next CA did not join at a half of the life")
	}
	other := &Store{Client: s.Client, Namespace: namespace}
	if !bytes.Equal(advanced.Bundle(), mustEnsure(t, other, epoch.Add(183*day)).Bundle()) {
		t.Error("what joined was not written")
	}
}

// TestEnsureTogether lets operators look at once, at the beginning and when a CA joins: all have to come out with the
// authority that is stored.
func TestEnsureTogether(t *testing.T) {
	c := fake.NewClientBuilder().Build()
	for _, now := range []time.Time{epoch, epoch.Add(183 * day), epoch.Add(244 * day)} {
		const operators = 2
		bundles := make([][]byte, operators)
		var running sync.WaitGroup
		for i := range operators {
			running.Go(func() {
				authority, err := (&Store{Client: c, Namespace: namespace}).Ensure(context.Background(), now)
				if err != nil {
					t.Error(err)
					return
				}
				bundles[i] = authority.Bundle()
			})
		}
		running.Wait()
		for i, bundle := range bundles {
			if diff := cmp.Diff(string(read(t, c).Data[pki.BundleKey]), string(bundle)); diff != "" {
				t.Errorf("%s: operator %d uses another authority than the one that is stored: %s", now, i, diff)
			}
		}
	}
}

// TestEnsureLosesRace steps in between an operator's look and its write.
func TestEnsureLosesRace(t *testing.T) {
	cases := map[string]struct {
		reason string
		before []time.Time
		now    time.Time
	}{
		"Create": {reason: "another operator created the Secret first", now: epoch},
		"Update": {reason: "another operator let the next CA join first", before: []time.Time{epoch}, now: epoch.Add(183 * day)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plain := fake.NewClientBuilder().Build()
			winner := &Store{Client: plain, Namespace: namespace}
			for _, at := range tc.before {
				mustEnsure(t, winner, at)
			}
			var once sync.Once
			var won *pki.Authority
			win := func() { once.Do(func() { won = mustEnsure(t, winner, tc.now) }) }
			loser := &Store{Namespace: namespace, Client: interceptor.NewClient(plain, interceptor.Funcs{
				Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
					win()
					return c.Create(ctx, o, opts...)
				},
				Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
					win()
					return c.Update(ctx, o, opts...)
				},
			})}
			got := mustEnsure(t, loser, tc.now)
			if won == nil {
				t.Fatal("nobody stepped in")
			}
			if !bytes.Equal(won.Bundle(), got.Bundle()) {
				t.Errorf("%s: the one that was slower uses its own authority", tc.reason)
			}
		})
	}
}

func TestEnsureLeavesDamageAlone(t *testing.T) {
	cases := map[string]struct {
		reason string
		damage func(map[string][]byte)
		want   string
	}{
		"Key":    {reason: "a key that was lost", damage: func(d map[string][]byte) { delete(d, "active.key") }, want: `key "active.key": is missing`},
		"Bundle": {reason: "a bundle that was cut", damage: func(d map[string][]byte) { d["ca.crt"] = d["ca.crt"][:100] }, want: `key "ca.crt": is not PEM`},
		"Empty":  {reason: "a Secret that somebody else made", damage: func(d map[string][]byte) { clear(d) }, want: `key "active.crt": is missing`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &Store{Client: fake.NewClientBuilder().Build(), Namespace: namespace}
			mustEnsure(t, s, epoch)
			secret := read(t, s.Client)
			tc.damage(secret.Data)
			if err := s.Client.Update(context.Background(), secret); err != nil {
				t.Fatal(err)
			}
			before := read(t, s.Client)
			_, err := s.Ensure(context.Background(), epoch)
			var damage *pki.DamageError
			if !errors.As(err, &damage) || !strings.Contains(err.Error(), "secret rauta-system/rauta-ca is damaged, "+tc.want) {
				t.Errorf("%s: error %v, want one that names the Secret and %s", tc.reason, err, tc.want)
			}
			if diff := cmp.Diff(before, read(t, s.Client)); diff != "" {
				t.Errorf("%s: the Secret was written: %s", tc.reason, diff)
			}
		})
	}
}

func TestEnsureReportsWhatFails(t *testing.T) {
	s := &Store{Namespace: namespace, Client: interceptor.NewClient(fake.NewClientBuilder().Build(), interceptor.Funcs{
		Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
			return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, namespace)
		},
	})}
	_, err := s.Ensure(context.Background(), epoch)
	if err == nil || !strings.Contains(err.Error(), `namespaces "rauta-system" not found`) {
		t.Errorf("error %v, want one that names what is missing", err)
	}
}

func TestKeeper(t *testing.T) {
	c := fake.NewClientBuilder().Build()
	now := epoch
	changes := 0
	k := &Keeper{
		Store: &Store{Client: c, Namespace: namespace}, Operator: pki.NewOperator(func() time.Time { return now }),
		Now: func() time.Time { return now }, OnChange: func() { changes++ }, Logger: logr.Discard(),
	}
	refresh := func() {
		t.Helper()
		if err := k.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	refresh()
	first := k.Operator.Authority()
	if first == nil || changes != 0 {
		t.Fatalf("authority %v after %d changes: the first look loads it and is no change", first, changes)
	}
	refresh()
	if k.Operator.Authority() != first || changes != 0 {
		t.Error("a look that finds nothing new is a change")
	}
	now = epoch.Add(183 * day)
	refresh()
	if changes != 1 || bytes.Equal(k.Operator.Authority().Bundle(), first.Bundle()) {
		t.Errorf("%d changes: the proxies have to learn of the CA that joined", changes)
	}
	kept := k.Operator.Authority()
	secret := read(t, c)
	delete(secret.Data, "active.key")
	if err := c.Update(context.Background(), secret); err != nil {
		t.Fatal(err)
	}
	if err := k.Refresh(context.Background()); err == nil {
		t.Error("a damaged Secret goes unnoticed")
	}
	if k.Operator.Authority() != kept {
		t.Error("the authority in use was given up because the stored one is damaged")
	}
	if err := c.Delete(context.Background(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: SecretName}}); err != nil {
		t.Fatal(err)
	}
	refresh()
	if k.Operator.Authority() == kept || changes != 2 {
		t.Error("an authority that was made anew is not used")
	}
}

func TestKeeperEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keeper{
		Store:    &Store{Client: fake.NewClientBuilder().Build(), Namespace: namespace},
		Operator: pki.NewOperator(time.Now), Now: time.Now, Interval: time.Millisecond, Logger: logr.Discard(),
	}
	ended := make(chan error, 1)
	go func() { ended <- k.Start(ctx) }()
	for deadline := time.Now().Add(time.Minute); k.Operator.Authority() == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no authority was loaded")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v, want nothing: the manager takes an error for a failure", err)
	}
}
