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
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	corev1 "k8s.io/api/core/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// backdate is how long before they are issued the operator has its certificates begin.
const backdate = 5 * time.Minute

// served is the table that a replica serves, and the identity that it shows.
type served struct {
	generation uint64
	hash       string
	issued     time.Time // its identity
}

// table asks a replica what it serves, by the door for other replicas: nobody else is told, and no session of the operator ends
// for it. The door is open to the Gateway's identity and at its replicas' addresses alone, so the question comes from the
// replica's own network namespace.
func (w *world) table(ctx context.Context, pod *corev1.Pod, identity tls.Certificate) (served, error) {
	pid, err := w.container(pod.UID, "proxy")
	if err != nil {
		return served{}, err
	}
	port, err := namedPort(pod, "peers")
	if err != nil {
		return served{}, err
	}
	var out served
	config := &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{identity},
		// Who is asked is known by the namespace that it is asked in.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(state tls.ConnectionState) error {
			shown := state.PeerCertificates[0]
			out.issued = shown.NotBefore.Add(backdate)
			if time.Now().After(shown.NotAfter) {
				return fmt.Errorf("the identity that %s shows ended at %s", pod.Name, shown.NotAfter)
			}
			return nil
		},
	}
	connection, err := grpc.NewClient("passthrough:///"+net.JoinHostPort(pod.Status.PodIP, port), grpc.WithNoProxy(),
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return dialInside(ctx, pid, address) }))
	if err != nil {
		return served{}, err
	}
	defer connection.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := adminv1.NewPeersClient(connection).Table(ctx, &adminv1.TableRequest{})
	if err != nil {
		return served{}, fmt.Errorf("ask %s for its table: %w", pod.Name, err)
	}
	first, err := stream.Recv()
	if err != nil {
		return served{}, fmt.Errorf("ask %s for its table: %w", pod.Name, err)
	}
	out.generation, out.hash = first.GetGeneration(), first.GetTableHash()
	return out, nil
}

// dialInside connects from the network namespace of a process.
func dialInside(ctx context.Context, pid int, address string) (net.Conn, error) {
	type result struct {
		connection net.Conn
		err        error
	}
	results := make(chan result, 1)
	go func() {
		// A thread that went elsewhere is given up with its goroutine.
		runtime.LockOSThread()
		namespace, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
		if err != nil {
			results <- result{nil, err}
			return
		}
		defer func() { _ = namespace.Close() }()
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil { //nolint:gosec // a file descriptor
			results <- result{nil, fmt.Errorf("enter the network namespace of process %d: %w", pid, err)}
			return
		}
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp4", address)
		results <- result{connection, err}
	}()
	got := <-results
	return got.connection, got.err
}

func namedPort(pod *corev1.Pod, name string) (string, error) {
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name {
				return strconv.Itoa(int(port.ContainerPort)), nil
			}
		}
	}
	return "", errors.New("pod " + pod.Name + " has no port named " + name)
}
