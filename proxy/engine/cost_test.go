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

package engine

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rauta-dev/rauta/proxy/config"
)

// large has n routes with a host, a backend and endpoints of its own each.
func large(n int) *config.Snapshot {
	s := &config.Snapshot{Listeners: []*config.Listener{{Name: "l", Port: 80, Protocol: config.ProtocolHTTP}}}
	for i := range n {
		name := fmt.Sprintf("%05d", i)
		s.Routes = append(s.Routes, &config.Route{
			Name:        "route/" + name,
			Attachments: []config.Attachment{{Listener: "l", Hostnames: []string{"h" + name + ".example.com"}}},
			Rules: []config.Rule{{
				Matches:  []config.Match{{PathType: config.PathPrefix, Path: "/api/" + name}},
				Backends: []config.WeightedBackend{{Backend: "backend/" + name, Weight: 1}},
			}},
		})
		s.Backends = append(s.Backends, &config.Backend{
			Name: "backend/" + name, Protocol: config.BackendHTTP1, Endpoints: "endpoints/" + name,
		})
		s.Endpoints = append(s.Endpoints, endpoints("endpoints/"+name, uint32(i+1), uint32(i+2)))
	}
	return s
}

// BenchmarkApply is what a change costs in a table of 5,000 routes.
func BenchmarkApply(b *testing.B) {
	b.Run("one route", func(b *testing.B) {
		e, _, _ := newEngine()
		s := large(5000)
		e.Apply(s)
		b.ReportAllocs()
		for b.Loop() {
			next := *s
			next.Routes = append([]*config.Route{{Name: "route/00000", Origin: s.Routes[0].Origin}}, s.Routes[1:]...)
			e.Apply(&next)
		}
	})
	b.Run("one endpoints", func(b *testing.B) {
		e, _, _ := newEngine()
		s := large(5000)
		e.Apply(s)
		b.ReportAllocs()
		for b.Loop() {
			next := *s
			next.Endpoints = append([]*config.Endpoints{endpoints("endpoints/00000", 9)}, s.Endpoints[1:]...)
			e.Apply(&next)
		}
	})
	b.Run("one backend", func(b *testing.B) {
		e, _, _ := newEngine()
		s := large(5000)
		// One in the middle of the names, with a route and endpoints of its own, comes and goes.
		without := *s
		without.Routes = append(slices.Clone(s.Routes[:2500]), s.Routes[2501:]...)
		without.Backends = append(slices.Clone(s.Backends[:2500]), s.Backends[2501:]...)
		without.Endpoints = append(slices.Clone(s.Endpoints[:2500]), s.Endpoints[2501:]...)
		e.Apply(s)
		b.ReportAllocs()
		for at := 0; b.Loop(); at++ {
			e.Apply([]*config.Snapshot{&without, s}[at%2])
		}
	})
	b.Run("one stream route", func(b *testing.B) {
		e, _, _ := newEngine()
		s := large(5000)
		s.StreamRoutes = []*config.StreamRoute{{Name: "s"}}
		e.Apply(s)
		b.ReportAllocs()
		for b.Loop() {
			next := *s
			next.StreamRoutes = []*config.StreamRoute{{Name: "s"}}
			e.Apply(&next)
		}
	})
	b.Run("everything", func(b *testing.B) {
		e, _, _ := newEngine()
		s := large(5000)
		e.Apply(s)
		b.ReportAllocs()
		for b.Loop() {
			next := *s
			next.Settings = []*config.Settings{{Name: "s"}}
			e.Apply(&next)
		}
	})
}
