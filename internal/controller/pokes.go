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
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// pokes have a controller look at an object again for a reason that no object of the API server shows: a replica
// acknowledged, the certificate authority changed, or another controller has done its part. Those before the controller has
// started are kept for it.
type pokes struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
	early map[reconcile.Request]bool
}

func (p *pokes) source() source.Source {
	return source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.queue = queue
		for request := range p.early {
			queue.Add(request)
		}
		p.early = nil
		return nil
	})
}

// pokeAfter is poke in some time. Before the controller has started it is poke.
func (p *pokes) pokeAfter(request reconcile.Request, pause time.Duration) {
	p.mu.Lock()
	queue := p.queue
	p.mu.Unlock()
	if queue == nil {
		p.poke(request)
		return
	}
	queue.AddAfter(request, pause)
}

func (p *pokes) poke(request reconcile.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue != nil {
		p.queue.Add(request)
		return
	}
	if p.early == nil {
		p.early = map[reconcile.Request]bool{}
	}
	p.early[request] = true
}
