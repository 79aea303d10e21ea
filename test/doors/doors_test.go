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

package doors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/rauta-dev/rauta"

// door is one row of the table of doors in docs/architecture.md.
type door struct {
	room   string
	reason string
	// Never lists import paths, each with all below it, that no package of the room may reach, directly or not.
	never []string
	// Only, when set, lists what the room may import directly besides the standard library and its own subpackages.
	only []string
	// Direct lists import paths that the room's packages may not import directly; their dependencies may.
	direct []string
	except []string
}

var doors = []door{
	{
		room:   "internal/topology",
		reason: "semantics are decided from objects alone",
		direct: []string{
			"context", "log", "log/slog", "net/http", "os", "k8s.io/client-go", "sigs.k8s.io/controller-runtime",
			"github.com/go-logr/logr", "google.golang.org/grpc", module,
		},
		never: []string{"google.golang.org/grpc"},
	},
	{
		room:   "internal/translate",
		reason: "translation is a function of the topology",
		direct: []string{
			"context", "log", "log/slog", "net/http", "os", "k8s.io/client-go", "sigs.k8s.io/controller-runtime",
			"github.com/go-logr/logr", module,
		},
		except: []string{module + "/internal/topology", module + "/api/admin/v1", module + "/api/v1alpha1"},
	},
	{
		room:   "internal/manifest",
		reason: "rendering is a function of the Gateway and its parameters",
		direct: []string{
			"context", "log", "log/slog", "net/http", "os", "k8s.io/client-go", "sigs.k8s.io/controller-runtime",
			"github.com/go-logr/logr", "google.golang.org/grpc", module,
		},
		except: []string{module + "/api/v1alpha1", module + "/config/proxy"},
	},
	{
		room:   "internal/provision",
		reason: "it applies objects, whatever they mean",
		never: []string{
			module + "/internal/topology", module + "/internal/translate", module + "/internal/manifest",
			module + "/internal/push", "sigs.k8s.io/kustomize/api",
		},
	},
	{
		room:   "internal/push",
		reason: "plain addresses come in",
		never:  []string{"k8s.io", "sigs.k8s.io", module + "/internal/topology", module + "/internal/translate"},
	},
	{
		room:   "internal/leader",
		reason: "what it keeps from writing asks it, and it asks nobody",
		never:  []string{module},
	},
	{
		room:   "internal/status",
		reason: "it reports decisions and does not take part in them",
		never:  []string{module + "/internal/provision", module + "/internal/translate"},
	},
	{
		room:   "proxy",
		reason: "the data plane knows nothing of Kubernetes or of the operator",
		never:  []string{"k8s.io", "sigs.k8s.io", module + "/internal", module + "/api/v1alpha1"},
		only: []string{
			module + "/proxy", module + "/api/admin/v1", "golang.org/x/net", "google.golang.org/grpc",
			"google.golang.org/protobuf", "go.yaml.in/yaml/v3", "golang.org/x/crypto/x509roots/fallback/bundle",
		},
	},
	{room: "proxy/route", reason: "matching needs nothing else", only: []string{}},
	{room: "proxy/config", reason: "the model needs nothing else", only: []string{}},
	{room: "proxy/proxyprotocol", reason: "a header is its bytes", only: []string{}},
	{room: "proxy/socket", reason: "it is below all other rooms", only: []string{}},
	{room: "cmd/proxy", reason: "the binary knows nothing of Kubernetes", never: []string{"k8s.io", "sigs.k8s.io"}},
}

// importers says which rooms alone may import a package directly.
var importers = []struct {
	path   string
	within string
	rooms  []string
	reason string
}{
	{
		path: "net/http", within: "proxy", rooms: []string{"proxy/telemetry"},
		reason: "the request path is the project's own; net/http answers probes, and nothing else",
	},
	{
		path: module + "/api/admin/v1", within: "proxy", rooms: []string{"proxy/admin"},
		reason: "the admin API ends in the admin room",
	},
	{
		path: "sigs.k8s.io/kustomize/api", within: "", rooms: []string{"internal/manifest"},
		reason: "manifest is kustomize's only user",
	},
}

func TestDoors(t *testing.T) {
	packages := load(t)
	for _, d := range doors {
		t.Run(d.room, func(t *testing.T) {
			inside := packagesOf(packages, d.room)
			if len(inside) == 0 {
				t.Fatalf("no package in %s: a door without a room", d.room)
			}
			for _, p := range inside {
				for _, fault := range d.faults(packages, p) {
					t.Errorf("%s: %s; %s", p.ImportPath, fault, d.reason)
				}
			}
		})
	}
}

func TestImporters(t *testing.T) {
	packages := load(t)
	for _, rule := range importers {
		t.Run(rule.path, func(t *testing.T) {
			for _, p := range packagesOf(packages, rule.within) {
				imports := slices.ContainsFunc(p.Imports, func(i string) bool { return within(i, rule.path) })
				if !imports || withinAny(strings.TrimPrefix(p.ImportPath, module+"/"), rule.rooms) {
					continue
				}
				t.Errorf("%s imports %s: %s", p.ImportPath, rule.path, rule.reason)
			}
		})
	}
}

// TestFaultsAreSeen shows that a closed door is noticed: a rule that nothing could break would hold nothing.
func TestFaultsAreSeen(t *testing.T) {
	packages := map[string]listed{
		module + "/room": {ImportPath: module + "/room", Imports: []string{"fmt", "k8s.io/api/core/v1"}, Deps: []string{"fmt", "k8s.io/api/core/v1"}},
	}
	room := packages[module+"/room"]
	for name, d := range map[string]door{
		"Never":  {room: "room", never: []string{"k8s.io"}},
		"Only":   {room: "room", only: []string{}},
		"Direct": {room: "room", direct: []string{"fmt"}},
	} {
		if len(d.faults(packages, room)) == 0 {
			t.Errorf("%s: the fault was not seen", name)
		}
	}
}

func (d door) faults(packages map[string]listed, p listed) []string {
	var faults []string
	for _, dep := range p.Deps {
		if withinAny(dep, d.never) {
			faults = append(faults, "reaches "+dep)
		}
	}
	own := module + "/" + d.room
	for _, imported := range p.Imports {
		if within(imported, own) {
			continue
		}
		if withinAny(imported, d.direct) && !withinAny(imported, d.except) {
			faults = append(faults, "imports "+imported)
		}
		if d.only != nil && !packages[imported].Standard && strings.Contains(imported, ".") && !withinAny(imported, d.only) {
			faults = append(faults, "imports "+imported)
		}
	}
	return faults
}

type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

func load(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps",
		module+"/...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	packages := map[string]listed{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("decode go list: %v", err)
		}
		packages[p.ImportPath] = p
	}
}

func packagesOf(packages map[string]listed, room string) []listed {
	var inside []listed
	for path, p := range packages {
		if within(path, strings.TrimSuffix(module+"/"+room, "/")) {
			inside = append(inside, p)
		}
	}
	slices.SortFunc(inside, func(a, b listed) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return inside
}

func withinAny(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return within(path, root) })
}

func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}
