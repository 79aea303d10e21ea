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
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// session is one Sync stream. All of it but the receiving runs in one goroutine.
type session struct {
	server *Server
	stream adminv1.Admin_SyncServer
	number uint64
	staged *staged
	// ended is closed when a newer session begins.
	ended <-chan struct{}
}

// Sync serves one session, until the operator ends it or a newer one begins.
func (s *Server) Sync(stream adminv1.Admin_SyncServer) error {
	session := s.beginSession(stream)
	defer s.options.Table.end()
	s.options.Logger.Info("session begun", "session", session.number)
	err := session.run()
	s.options.Logger.Info("session ended", "session", session.number, "reason", status.Convert(err).Message())
	return err
}

func (s *Server) beginSession(stream adminv1.Admin_SyncServer) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.supersede != nil {
		close(s.supersede)
	}
	s.supersede = make(chan struct{})
	return &session{
		server: s, stream: stream, number: s.options.Table.begin(), staged: newStaged(), ended: s.supersede,
	}
}

func (s *session) run() error {
	if err := s.sendInventory(); err != nil {
		return err
	}
	requests, failed := s.receive()
	reports := time.NewTicker(s.server.options.ReportInterval)
	defer reports.Stop()
	for {
		select {
		case <-s.ended:
			return status.Error(codes.Aborted, errSuperseded.Error())
		case <-s.server.stopping:
			return status.Error(codes.Unavailable, "the proxy is stopping")
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case <-reports.C:
			if err := s.sendReport(); err != nil {
				return err
			}
		case request := <-requests:
			if err := s.handle(request); err != nil {
				return err
			}
		}
	}
}

// receive reads the stream in a goroutine, which ends with the stream.
func (s *session) receive() (<-chan *adminv1.SyncRequest, <-chan error) {
	requests, failed := make(chan *adminv1.SyncRequest), make(chan error, 1)
	go func() {
		for {
			request, err := s.stream.Recv()
			if err != nil {
				failed <- err
				return
			}
			select {
			case requests <- request:
			case <-s.stream.Context().Done():
				return
			}
		}
	}()
	return requests, failed
}

func (s *session) handle(request *adminv1.SyncRequest) error {
	switch message := request.GetMessage().(type) {
	case *adminv1.SyncRequest_Update:
		if err := s.staged.add(message.Update, s.server.options.Table.maxBytes); err != nil {
			return status.Error(codes.ResourceExhausted, err.Error())
		}
		return nil
	case *adminv1.SyncRequest_Commit:
		return s.commit(message.Commit)
	case *adminv1.SyncRequest_InventoryRequest:
		s.staged = newStaged()
		return s.sendInventory()
	}
	return status.Error(codes.InvalidArgument, "message: this proxy does not know what the operator sent")
}

func (s *session) commit(commit *adminv1.Commit) error {
	ack, err := s.server.options.Table.commit(s.number, s.staged, commit)
	s.staged = newStaged()
	switch {
	case errors.Is(err, errSuperseded):
		return status.Error(codes.Aborted, err.Error())
	case err != nil:
		return status.Error(codes.ResourceExhausted, err.Error())
	}
	// The operator waits for the answer, and nobody for what is logged.
	sent := s.stream.Send(&adminv1.SyncResponse{Message: &adminv1.SyncResponse_Ack{Ack: ack}})
	s.server.options.Logger.Info("table committed", "session", s.number, "generation", ack.GetGeneration(),
		"hash", ack.GetTableHash(), "refused", ack.GetRefused().String(), "errors", len(ack.GetErrors()))
	for _, e := range ack.GetErrors() {
		s.server.options.Logger.Warn("resource quarantined",
			"resource", e.GetName(), "code", e.GetCode().String(), "message", e.GetMessage())
	}
	return sent
}

func (s *session) sendInventory() error {
	for _, inventory := range s.server.options.Table.inventory(s.server.options.Version) {
		response := &adminv1.SyncResponse{Message: &adminv1.SyncResponse_Inventory{Inventory: inventory}}
		if err := s.stream.Send(response); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) sendReport() error {
	generation, hash := s.server.options.Table.Serving()
	report := &adminv1.Report{Generation: generation, TableHash: hash}
	return s.stream.Send(&adminv1.SyncResponse{Message: &adminv1.SyncResponse_Report{Report: report}})
}
