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

package push

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

const (
	// maxInventoryBytes bounds the inventory that a replica can make the operator hold.
	maxInventoryBytes = 64 << 20
)

// conversation is one stream with one replica. Everything but the receiver runs in one goroutine.
//
// It is in one of three situations: awaiting the inventory, awaiting an acknowledgement (pending is set), or at rest
// with held as what the replica serves. Only at rest something is sent.
type conversation struct {
	session *session
	stream  grpc.BidiStreamingClient[adminv1.SyncRequest, adminv1.SyncResponse]
	// watchdog ends the stream when a sign of life is overdue.
	watchdog *watchdog

	awaitingInventory bool
	inventory         []entry
	inventoryBytes    int
	inventoryVersion  version
	proxyVersion      string
	// counted is true while this conversation is in the metric of open ones.
	counted bool

	// held is the table of the replica, and heldVersion what it is called; served is true once the replica
	// acknowledged it in this conversation.
	held        *table
	heldVersion version
	served      bool
	pending     *commit
	// drifted is true from a drift to the next acknowledgement, and lastDrift is when it was.
	drifted   bool
	lastDrift time.Time
	// recheck fires when the table that was acknowledged has to be committed again, to learn what became of a socket
	// that could not be opened.
	recheck <-chan time.Time
	// agreed is true when the last word was an acknowledgement.
	agreed bool
}

// commit is a change on its way.
type commit struct {
	target *target
	since  time.Time
}

func newConversation(s *session, cancel context.CancelCauseFunc) *conversation {
	return &conversation{
		session: s, awaitingInventory: true,
		watchdog: newWatchdog(s.gateway.pusher.options.AckTimeout, cancel),
	}
}

func (c *conversation) close() {
	c.watchdog.rest()
	if c.counted {
		c.session.gateway.pusher.metrics.sessions.Dec()
	}
}

// hold converses until the stream ends.
func (c *conversation) hold(ctx context.Context) error {
	messages, ended := c.receive(ctx)
	c.watchdog.expect("an inventory")
	for {
		if err := c.advance(); err != nil {
			// A stream that cannot be sent to has ended, and the receiver knows why.
			if errors.Is(err, io.EOF) {
				return last(messages, ended)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-ended:
			return err
		case <-c.session.bell:
		case <-c.recheck:
			c.recheck, c.served = nil, false
		case message := <-messages:
			if err := c.take(message); err != nil {
				return err
			}
		}
	}
}

// receive passes on what comes, and then why nothing comes any more.
func (c *conversation) receive(ctx context.Context) (<-chan *adminv1.SyncResponse, <-chan error) {
	messages, ended := make(chan *adminv1.SyncResponse), make(chan error, 1)
	c.session.gateway.pusher.running.Go(func() {
		for {
			message, err := c.stream.Recv()
			if err != nil {
				ended <- err
				return
			}
			select {
			case messages <- message:
			case <-ctx.Done():
				ended <- ctx.Err()
				return
			}
		}
	})
	return messages, ended
}

// last is why the stream ended, when it is known that it did. What the replica said before is of no use any more.
func last(messages <-chan *adminv1.SyncResponse, ended <-chan error) error {
	for {
		select {
		case err := <-ended:
			return err
		case <-messages:
		}
	}
}

// advance sends what is missing when the conversation is at rest.
func (c *conversation) advance() error {
	if c.awaitingInventory || c.pending != nil {
		return nil
	}
	target := c.session.gateway.target()
	if target == nil || (c.served && c.heldVersion == target.version()) {
		return nil
	}
	allowed := c.session.gateway.pusher.options.Allowed
	if err := allowed(); err != nil {
		return err
	}
	c.pending = &commit{target: target, since: time.Now()}
	upserts, removals := difference(c.held, target.table)
	metrics := c.session.gateway.pusher.metrics
	for update := range chunks(upserts, removals, adminv1.ChunkBytes) {
		c.watchdog.expect("room for the next chunk")
		err := c.stream.Send(&adminv1.SyncRequest{Message: &adminv1.SyncRequest_Update{Update: update}})
		if err != nil {
			return err
		}
		metrics.bytes.Add(float64(proto.Size(update)))
		metrics.resources.WithLabelValues(operationUpsert).Add(float64(len(update.GetUpserts())))
		metrics.resources.WithLabelValues(operationRemoval).Add(float64(len(update.GetRemovals())))
	}
	// Sending may have taken any time, and only what is committed has an effect.
	if err := allowed(); err != nil {
		return err
	}
	c.watchdog.expect("an acknowledgement")
	return c.stream.Send(&adminv1.SyncRequest{Message: &adminv1.SyncRequest_Commit{Commit: &adminv1.Commit{
		Generation: target.generation, TableHash: target.table.hash(),
	}}})
}

// take handles one message of the replica.
func (c *conversation) take(message *adminv1.SyncResponse) error {
	switch message := message.GetMessage().(type) {
	case *adminv1.SyncResponse_Inventory:
		return c.takeInventory(message.Inventory)
	case *adminv1.SyncResponse_Ack:
		return c.takeAck(message.Ack)
	case *adminv1.SyncResponse_Report:
		return c.takeReport(message.Report)
	default:
		// A newer proxy may have more to say than we understand.
		return nil
	}
}

func (c *conversation) takeInventory(inventory *adminv1.Inventory) error {
	if !c.awaitingInventory {
		return errors.New("the replica sent an inventory that was not asked for")
	}
	for _, e := range inventory.GetEntries() {
		c.inventory = append(c.inventory, entry{name: e.GetName(), hash: e.GetHash()})
		c.inventoryBytes += len(e.GetName()) + len(e.GetHash())
	}
	if c.inventoryBytes > maxInventoryBytes {
		return fmt.Errorf("the replica's inventory is larger than %d bytes", maxInventoryBytes)
	}
	if inventory.GetGeneration() > adminv1.MaxGeneration {
		return fmt.Errorf("the replica claims generation %d: at most %d is possible", inventory.GetGeneration(), adminv1.MaxGeneration)
	}
	if inventory.GetGeneration() != 0 {
		c.inventoryVersion = version{generation: inventory.GetGeneration(), hash: inventory.GetTableHash()}
	}
	c.proxyVersion = cmp.Or(inventory.GetProxyVersion(), c.proxyVersion)
	if inventory.GetMore() {
		c.watchdog.expect("the rest of an inventory")
		return nil
	}
	c.watchdog.rest()
	c.awaitingInventory = false
	slices.SortFunc(c.inventory, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	held := pagesOf(c.inventory)
	c.held, c.heldVersion, c.served = newTable(held, sumOf(held), nil), c.inventoryVersion, false
	c.inventory, c.inventoryBytes, c.inventoryVersion = nil, 0, version{}
	if !c.counted {
		c.counted = true
		c.session.gateway.pusher.metrics.sessions.Inc()
		c.session.log.V(1).Info("session with replica open", "holds", c.held.entries.len(), "generation", c.heldVersion.generation)
	}
	c.session.gateway.inventoried(c.session, c.heldVersion, c.proxyVersion)
	return nil
}

func (c *conversation) takeAck(ack *adminv1.Ack) error {
	if c.pending == nil || ack.GetGeneration() != c.pending.target.generation {
		return fmt.Errorf("the replica acknowledged generation %d, which does not wait for it", ack.GetGeneration())
	}
	c.watchdog.rest()
	pending, metrics := c.pending, c.session.gateway.pusher.metrics
	c.pending = nil
	if ack.GetRefused() != adminv1.Refusal_REFUSAL_UNSPECIFIED {
		metrics.commits.WithLabelValues(answerRefused).Inc()
		return c.drift(fmt.Sprintf("refused generation %d: %s", ack.GetGeneration(), ack.GetRefused()))
	}
	metrics.commits.WithLabelValues(answerAcknowledged).Inc()
	metrics.seconds.Observe(time.Since(pending.since).Seconds())
	wanted := pending.target.version()
	if ack.GetTableHash() != wanted.hash {
		return c.drift(fmt.Sprintf("acknowledged generation %d with table %s instead of %s",
			ack.GetGeneration(), ack.GetTableHash(), wanted.hash))
	}
	c.held, c.heldVersion, c.served = pending.target.table, wanted, true
	c.drifted, c.agreed = false, true
	// Acknowledgements alone carry errors, and a replica goes on trying to open its sockets after it has sent one.
	c.recheck = nil
	if slices.ContainsFunc(ack.GetErrors(), isListenFailure) {
		c.recheck = time.After(c.session.gateway.pusher.options.RecheckInterval)
	}
	c.session.gateway.acknowledged(c.session, wanted, errorsOf(ack))
	return nil
}

func (c *conversation) takeReport(report *adminv1.Report) error {
	// While something is on its way a report may be of the table before it or after it.
	if c.awaitingInventory || c.pending != nil || !c.served {
		return nil
	}
	reported := version{generation: report.GetGeneration(), hash: report.GetTableHash()}
	if reported == c.heldVersion {
		return nil
	}
	return c.drift(fmt.Sprintf("serves generation %d with table %s, and had acknowledged generation %d with table %s",
		reported.generation, reported.hash, c.heldVersion.generation, c.heldVersion.hash))
}

// drift begins again with an inventory, once: a second time without an acknowledgement in between, or soon after the
// first, ends the conversation, so that a replica which never agrees costs no more than one that cannot be reached.
func (c *conversation) drift(what string) error {
	pusher := c.session.gateway.pusher
	pusher.metrics.drift.Inc()
	c.agreed = false
	if c.drifted || time.Since(c.lastDrift) < pusher.options.BackoffMax {
		return fmt.Errorf("the replica %s, again", what)
	}
	c.session.log.Info("replica has drifted, asking for its inventory", "drift", what)
	c.drifted, c.lastDrift, c.awaitingInventory = true, time.Now(), true
	c.watchdog.expect("an inventory")
	return c.stream.Send(&adminv1.SyncRequest{Message: &adminv1.SyncRequest_InventoryRequest{
		InventoryRequest: &adminv1.InventoryRequest{},
	}})
}

func isListenFailure(e *adminv1.ResourceError) bool {
	return e.GetCode() == adminv1.ErrorCode_ERROR_CODE_LISTEN_FAILED
}

func errorsOf(ack *adminv1.Ack) []ResourceError {
	list := make([]ResourceError, 0, len(ack.GetErrors()))
	for _, e := range ack.GetErrors() {
		list = append(list, ResourceError{Name: e.GetName(), Code: e.GetCode(), Message: e.GetMessage()})
	}
	return mergeErrors([][]ResourceError{list})
}
