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
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// apiClient speaks to the cluster's API server, from inside its network namespace.
type apiClient struct {
	http *http.Client
}

// newAPIClient returns a client with one user's certificate.
func newAPIClient(p place, user string) (*apiClient, error) {
	pair, err := tls.LoadX509KeyPair(p.certificate(user), p.key(user))
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of %s: %w", user, err)
	}
	authority, err := os.ReadFile(p.certificate("ca"))
	if err != nil {
		return nil, fmt.Errorf("reading the cluster's authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("no certificate in %s", p.certificate("ca"))
	}
	return &apiClient{&http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		DialContext:       (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		ForceAttemptHTTP2: true,
	}}}, nil
}

// apiError is an answer of the API server that is not a success.
type apiError struct {
	method, path string
	status       int
	body         string
}

func (e *apiError) Error() string {
	return fmt.Sprintf("%s %s: status %d: %s", e.method, e.path, e.status, e.body)
}

// open sends a request and returns the body of a successful answer.
func (c *apiClient) open(ctx context.Context, method, path, contentType string, body any) (io.ReadCloser, error) {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("%s %s: encoding the request: %w", method, path, err)
		}
		payload = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, apiServer+path, payload)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err // names method and address itself
	}
	if response.StatusCode/100 == 2 {
		return response.Body, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		text = []byte(err.Error())
	}
	return nil, &apiError{method, path, response.StatusCode, string(text)}
}

// do sends a request and decodes the answer into out, unless that is nil.
func (c *apiClient) do(ctx context.Context, method, path, contentType string, body, out any) error {
	answer, err := c.open(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	if out == nil {
		_, err = io.Copy(io.Discard, answer)
		return err
	}
	if err := json.NewDecoder(answer).Decode(out); err != nil {
		return fmt.Errorf("%s %s: decoding the answer: %w", method, path, err)
	}
	return nil
}

func (c *apiClient) ready(ctx context.Context) error {
	return c.do(ctx, http.MethodGet, "/readyz", "", nil, nil)
}

func (c *apiClient) nodeReady(ctx context.Context) error {
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := c.do(ctx, http.MethodGet, "/api/v1/nodes/"+nodeName, "", nil, &node); err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == "Ready" && condition.Status == "True" {
			return nil
		}
		if condition.Type == "Ready" {
			return fmt.Errorf("node %s is not Ready: %s", nodeName, condition.Message)
		}
	}
	return fmt.Errorf("node %s has no Ready condition", nodeName)
}

// defaultAccountReady: no pod can be made in a namespace before its default service account is there.
func (c *apiClient) defaultAccountReady(ctx context.Context) error {
	return c.do(ctx, http.MethodGet, "/api/v1/namespaces/default/serviceaccounts/default", "", nil, nil)
}

// dialable is a condition: something listens.
func dialable(network, address string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
