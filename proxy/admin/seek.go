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

package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

const (
	// maxAsked is how many replicas are asked in one round, chosen at random.
	maxAsked = 4
	// maxFound bounds what is made of the answer to a look-up.
	maxFound = 1024
	// silence is how long a replica that was asked may say nothing.
	silence = 5 * time.Second
)

// Seek asks the other replicas for their table until this one has been given any, or ctx ends. The newest of those that are
// asked is taken: a table that is old is better than none, and the operator corrects it. A replica that began with its
// last table looks once whether there is a newer one, since it may have missed what the others were told.
func (p *Peers) Seek(ctx context.Context) {
	_, hash := p.options.Table.Serving()
	pause, last := p.options.Pause, ""
	sleep(ctx, p.options.Delay)
	for ctx.Err() == nil {
		wanted, over := p.options.Table.wanting()
		if over {
			return
		}
		if wanted {
			adopted, err := p.seekOnce(ctx)
			if adopted || hash != "" {
				return
			}
			if err != nil && err.Error() != last && ctx.Err() == nil {
				last = err.Error()
				p.options.Logger.Info("no other replica gives its table yet", "error", err)
			}
		}
		sleep(ctx, pause/2+rand.N(pause))
		pause = min(2*pause, 16*p.options.Pause)
	}
}

func sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// seekOnce asks some replicas at the same time, and takes the newest table of those that are offered, or the next one where
// that cannot be had whole.
func (p *Peers) seekOnce(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	replicas, err := p.find(ctx)
	if err != nil {
		return false, err
	}
	asked, failures := p.askAll(ctx, replicas)
	defer func() {
		for _, one := range asked {
			one.close()
		}
	}()
	for _, one := range asked {
		if err := one.rest(p.options.Table.maxBytes); err != nil {
			failures = append(failures, fmt.Errorf("replica at %s: %w", one.replica, err))
			continue
		}
		quarantined, adopted := p.options.Table.adopt(one.table)
		if !adopted {
			continue
		}
		p.options.Logger.Info("serving the table of another replica", "replica", one.replica.String(),
			"generation", one.table.generation, "hash", one.table.hash)
		for _, e := range quarantined {
			p.options.Logger.Warn("resource quarantined", "resource", e.Resource, "code", e.Code.String(), "message", e.Message)
		}
		return true, nil
	}
	return false, errors.Join(failures...)
}

// find gives some of the Gateway's replicas, in a random order.
func (p *Peers) find(ctx context.Context) ([]netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	found, err := p.options.Find(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up the Gateway's replicas: %w", err)
	}
	found = slices.Clone(found[:min(len(found), maxFound)])
	rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	return found[:min(len(found), maxAsked)], nil
}

// askAll asks replicas at the same time, and gives those that have a table of use here, the newest first.
func (p *Peers) askAll(ctx context.Context, replicas []netip.AddrPort) ([]*asked, []error) {
	all, failed := make([]*asked, len(replicas)), make([]error, len(replicas))
	var asking sync.WaitGroup
	for i, replica := range replicas {
		asking.Go(func() {
			if all[i], failed[i] = p.ask(ctx, replica); failed[i] != nil {
				failed[i] = fmt.Errorf("replica at %s: %w", replica, failed[i])
			}
		})
	}
	asking.Wait()
	generation, _ := p.options.Table.Serving()
	all = slices.DeleteFunc(all, func(one *asked) bool {
		if one == nil || one.table.generation > generation {
			return one == nil
		}
		one.close()
		return true
	})
	slices.SortStableFunc(all, func(a, b *asked) int { return cmp.Compare(b.table.generation, a.table.generation) })
	return all, slices.DeleteFunc(failed, func(err error) bool { return err == nil })
}

// asked is a replica that has named its table, and waits for the rest of it to be taken.
type asked struct {
	replica netip.AddrPort
	table   offered

	connection *grpc.ClientConn
	stream     adminv1.Peers_TableClient
	cancel     context.CancelFunc
	silent     *time.Timer
}

func (p *Peers) ask(ctx context.Context, replica netip.AddrPort) (*asked, error) {
	connection, err := grpc.NewClient("passthrough:///"+replica.String(), grpc.WithNoProxy(),
		grpc.WithTransportCredentials(credentials.NewTLS(p.options.Identity.peerConfig())),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessageBytes)))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	a := &asked{replica: replica, connection: connection, cancel: cancel, silent: time.AfterFunc(silence, cancel)}
	first, err := a.first(ctx)
	if err == nil && first.GetGeneration() > adminv1.MaxGeneration {
		// The operator would refuse it, and whoever adopted it would be told nothing any more.
		err = fmt.Errorf("it claims generation %d: at most %d is possible", first.GetGeneration(), adminv1.MaxGeneration)
	}
	if err != nil {
		a.close()
		return nil, err
	}
	a.table = offered{generation: first.GetGeneration(), hash: first.GetTableHash(), resources: map[string]*held{}}
	return a, nil
}

// first opens the stream, and gives the message that names the table.
func (a *asked) first(ctx context.Context) (*adminv1.TableResponse, error) {
	stream, err := adminv1.NewPeersClient(a.connection).Table(ctx, &adminv1.TableRequest{})
	if err != nil {
		return nil, err
	}
	a.stream = stream
	return a.receive()
}

// receive gives the next message, or an error when there was none for too long. The time until the next is asked for does not count.
func (a *asked) receive() (*adminv1.TableResponse, error) {
	a.silent.Reset(silence)
	defer a.silent.Stop()
	response, err := a.stream.Recv()
	if err == nil || errors.Is(err, io.EOF) {
		return response, err
	}
	return nil, fmt.Errorf("receive table: %w", err)
}

// rest takes what is left of the table.
func (a *asked) rest(maxBytes int) error {
	for {
		response, err := a.receive()
		if errors.Is(err, io.EOF) {
			return a.table.whole()
		}
		if err != nil {
			return err
		}
		if err := a.table.take(response.GetResources(), maxBytes); err != nil {
			return err
		}
	}
}

func (a *asked) close() {
	a.silent.Stop()
	a.cancel()
	_ = a.connection.Close()
}
