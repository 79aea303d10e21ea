//go:build linux

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
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// sighting is an event of a route, as far as it is looked at. Reading all of it, which takes as long for the observer as for the operator,
// would take from the operator and the proxy at the very moment in which they are measured.
type sighting struct {
	Type   watch.EventType
	Object struct {
		Metadata struct {
			Name, ResourceVersion string
		}
		Status gatewayv1.RouteStatus
	}
}

// routeWatch watches the routes of the benchmark's namespace. What it sees it saw when the event had come, not when it was read.
type routeWatch struct {
	client  *http.Client
	at      *url.URL
	version string
}

// followRoutes begins to watch, and goes on until ctx ends.
func (o *observer) followRoutes(ctx context.Context, w *world) error {
	client, errClient := rest.HTTPClientFor(w.config)
	server, _, errServer := rest.DefaultServerUrlFor(w.config)
	if err := errors.Join(errClient, errServer); err != nil {
		return fmt.Errorf("watch routes: %w", err)
	}
	at := server.JoinPath("apis", gatewayv1.GroupName, gatewayv1.GroupVersion.Version, "namespaces", namespace, "httproutes")
	routes := &routeWatch{client: client, at: at}
	events, err := routes.open(ctx)
	if err != nil {
		return err
	}
	go func() {
		for {
			if err := routes.read(events, o); !errors.Is(err, io.EOF) && ctx.Err() == nil {
				progress("  watch routes: %v", err)
			}
			if pause(ctx, 10*time.Millisecond) != nil {
				return
			}
			if events, err = routes.open(ctx); err != nil {
				progress("  %v", err)
				routes.version, events = "", http.NoBody
			}
		}
	}()
	return nil
}

// open watches what happens after the last version that was seen, or begins with all that is there.
func (r *routeWatch) open(ctx context.Context) (io.ReadCloser, error) {
	at := *r.at
	at.RawQuery = url.Values{"watch": {"true"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {r.version}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("watch routes: %w", err)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("watch routes: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("watch routes: %s", response.Status), response.Body.Close())
	}
	return response.Body, nil
}

// read passes on what is seen until the watch ends, as it does when the API server finds its reader slow. After an error in it there is
// nothing to go on from.
func (r *routeWatch) read(events io.ReadCloser, o *observer) error {
	defer func() { _ = events.Close() }()
	lines := bufio.NewReaderSize(events, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		now := time.Now()
		var seen sighting
		if err := json.Unmarshal(line, &seen); err != nil {
			return fmt.Errorf("event %q: %w", line, err)
		}
		r.version = seen.Object.Metadata.ResourceVersion
		switch seen.Type {
		case watch.Error:
			r.version = ""
			return fmt.Errorf("event %q", line)
		case watch.Bookmark:
		default:
			o.seeRoute(&seen, now)
		}
	}
}
