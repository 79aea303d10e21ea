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
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// syncPatience is how long the first list of a kind may take whose CRD has just appeared.
const syncPatience = 10 * time.Second

// presence says whether a kind can be read from the cache, which it can while its CRD is there: to ask for a kind without a
// CRD would wait for ever.
type presence struct {
	kind client.Object
	// plural is for messages.
	plural string

	mu    sync.RWMutex
	there bool
}

// list leaves the list empty without the CRD. What it gives must not be changed.
func (p *presence) list(ctx context.Context, objects client.Reader, list client.ObjectList, options ...client.ListOption) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if !p.there {
		return nil
	}
	if err := objects.List(ctx, list, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		return fmt.Errorf("list %s: %w", p.plural, err)
	}
	return nil
}

// get reports whether there is an object of that name, which without the CRD there is not.
func (p *presence) get(ctx context.Context, objects client.Reader, key client.ObjectKey, into client.Object) (bool, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if !p.there {
		return false, nil
	}
	err := objects.Get(ctx, key, into, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get one of %s, %s: %w", p.plural, key, err)
	}
	return true, nil
}

func (p *presence) reads() bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.there
}

func (p *presence) read(there bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.there = there
}

// optionalKind is a kind that the operator works without, and follows when its CRD comes and goes.
type optionalKind struct {
	*presence
	// crd is the name of its CRD.
	crd string
	// index adds the indexes of the kind.
	index func(context.Context, client.FieldIndexer) error
	// watch has changes looked at; the kind can be read already.
	watch func() error
	// ended lets go of what is left when the kind cannot be read any more, or cannot be when the operator begins; nil for nothing.
	ended func(context.Context) error
	// followed is whether it is known if the kind can be read.
	followed bool
}

// follow begins to watch a kind when its CRD has appeared, and ends it when it is gone. The gate calls it, never twice at once.
func (o *operator) follow(ctx context.Context, kind *optionalKind, there bool) error {
	if there == kind.reads() && (there || kind.followed) {
		return nil
	}
	if !there {
		return o.end(ctx, kind)
	}
	if err := o.begin(ctx, kind); err != nil {
		kind.read(false)
		// The next try begins from nothing: an index that is there cannot be added again.
		return errors.Join(fmt.Errorf("watch %s: %w", kind.plural, err), o.mgr.GetCache().RemoveInformer(ctx, kind.kind))
	}
	kind.followed = true
	o.pokeAll()
	return nil
}

func (o *operator) end(ctx context.Context, kind *optionalKind) error {
	if kind.reads() {
		kind.read(false)
		if err := o.mgr.GetCache().RemoveInformer(ctx, kind.kind); err != nil {
			return fmt.Errorf("end watching %s: %w", kind.plural, err)
		}
		o.pokeAll()
	}
	if kind.ended != nil {
		if err := kind.ended(ctx); err != nil {
			return err
		}
	}
	kind.followed = true
	return nil
}

func (o *operator) begin(ctx context.Context, kind *optionalKind) error {
	if err := kind.index(ctx, o.mgr.GetFieldIndexer()); err != nil {
		return err
	}
	if err := synced(ctx, o.mgr.GetCache(), kind.kind); err != nil {
		return err
	}
	kind.read(true)
	return kind.watch()
}

// watcher is a controller, as far as it can be given more to watch.
type watcher interface {
	Watch(source.TypedSource[reconcile.Request]) error
}

// watched has a controller look at changes of a kind.
func (o *operator) watched(in watcher, kind client.Object, by handler.MapFunc, changed predicate.TypedPredicate[client.Object]) error {
	return in.Watch(source.Kind(o.mgr.GetCache(), kind, handler.EnqueueRequestsFromMapFunc(by), changed))
}

// specChanged lets through what changes more than a status.
var specChanged predicate.TypedPredicate[client.Object] = predicate.GenerationChangedPredicate{}

// synced waits until the cache holds all objects of a kind.
func synced(ctx context.Context, objects cache.Cache, kind client.Object) error {
	ctx, cancel := context.WithTimeout(ctx, syncPatience)
	defer cancel()
	informer, err := objects.GetInformer(ctx, kind)
	if err != nil {
		return fmt.Errorf("read %T: %w", kind, err)
	}
	if !informer.HasSynced() {
		return fmt.Errorf("read %T: the first list has not come within %s", kind, syncPatience)
	}
	return nil
}
