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
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// fakeAPI answers a list and a watch with fixed bodies, and notes what is written.
type fakeAPI struct {
	list, watch string
	written     []string
}

func (f *fakeAPI) do(_ context.Context, method, path, _ string, body, out any) error {
	if method == http.MethodGet {
		return json.Unmarshal([]byte(f.list), out)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	f.written = append(f.written, fmt.Sprintf("%s %s %s", method, path, data))
	return nil
}

func (f *fakeAPI) open(context.Context, string, string, string, any) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(f.watch)), nil
}

// serviceJSON is a Service of type LoadBalancer unless spec says otherwise.
func serviceJSON(name, spec, address string) string {
	status := ""
	if address != "" {
		status = fmt.Sprintf(`{"ip":%q}`, address)
	}
	if spec == "" {
		spec = `"type":"LoadBalancer"`
	}
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"ns"},"spec":{%s},"status":{"loadBalancer":{"ingress":[%s]}}}`, name, spec, status)
}

func event(kind, object string) string { return fmt.Sprintf(`{"type":%q,"object":%s}`, kind, object) }

func patched(name, ingress string) string {
	return fmt.Sprintf(`PATCH /api/v1/namespaces/ns/services/%s/status {"status":{"loadBalancer":{"ingress":%s}}}`, name, ingress)
}

func TestBalancer(t *testing.T) {
	asks := func(address string) string { return `"type":"LoadBalancer","loadBalancerIP":"` + address + `"` }
	cases := map[string]struct {
		reason string
		list   []string
		watch  []string
		want   []string
	}{
		"GivesAddress": {
			reason: "A Service of type LoadBalancer waits for an address, others do not.",
			list:   []string{serviceJSON("a", "", ""), serviceJSON("b", `"type":"ClusterIP"`, "")},
			want:   []string{patched("a", `[{"ip":"198.18.1.1"}]`)},
		},
		"RespectsGiven": {
			reason: "After a restart of the balancer, addresses in use stay with their Services whatever the order of the list.",
			list:   []string{serviceJSON("a", "", ""), serviceJSON("b", "", "198.18.1.1")},
			want:   []string{patched("a", `[{"ip":"198.18.1.2"}]`)},
		},
		"Asked": {
			reason: "spec.loadBalancerIP names the address to give, also when the Service has another one.",
			list:   []string{serviceJSON("a", asks("198.18.1.200"), "198.18.1.1")},
			want:   []string{patched("a", `[{"ip":"198.18.1.200"}]`)},
		},
		"AskedOutside": {
			reason: "An address that cannot be had leaves the Service without one, and takes a wrong one away.",
			list:   []string{serviceJSON("a", asks("203.0.113.9"), ""), serviceJSON("b", asks("203.0.113.9"), "198.18.1.1")},
			want:   []string{patched("b", `null`)},
		},
		"OtherClass": {
			reason: "Service.spec.loadBalancerClass: a Service with a class belongs to that class's implementation.",
			list:   []string{serviceJSON("a", `"type":"LoadBalancer","loadBalancerClass":"example.com/lb"`, "")},
		},
		"NoLongerWanted": {
			reason: "A Service that changed its type must not keep an address that the next Service may get.",
			list:   []string{serviceJSON("a", "", "198.18.1.1")},
			watch: []string{
				event("MODIFIED", serviceJSON("a", `"type":"ClusterIP"`, "198.18.1.1")),
				event("ADDED", serviceJSON("b", asks("198.18.1.1"), "")),
			},
			want: []string{patched("a", `null`), patched("b", `[{"ip":"198.18.1.1"}]`)},
		},
		"DeletedFrees": {
			reason: "The address of a deleted Service can be asked for again.",
			list:   []string{serviceJSON("a", "", "198.18.1.1")},
			watch: []string{
				event("DELETED", serviceJSON("a", "", "198.18.1.1")),
				event("ADDED", serviceJSON("b", asks("198.18.1.1"), "")),
			},
			want: []string{patched("b", `[{"ip":"198.18.1.1"}]`)},
		},
		"OwnWriteNotBackYet": {
			reason: "An event that was on its way when the status was written must not lead to a second address.",
			watch: []string{
				event("ADDED", serviceJSON("a", "", "")),
				event("MODIFIED", serviceJSON("a", "", "")),
			},
			want: []string{patched("a", `[{"ip":"198.18.1.1"}]`), patched("a", `[{"ip":"198.18.1.1"}]`)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			api := &fakeAPI{
				list:  `{"metadata":{"resourceVersion":"1"},"items":[` + strings.Join(tc.list, ",") + `]}`,
				watch: strings.Join(tc.watch, "\n"),
			}
			b := &balancer{api: api, pool: newPool(balancerRange, balancerStatic), waiting: map[string]bool{}}
			if err := b.follow(context.Background()); err != nil {
				t.Fatalf("%s\nfollow: %v", tc.reason, err)
			}
			if !slices.Equal(api.written, tc.want) {
				t.Errorf("%s\nwritten:\n%s\nwant:\n%s", tc.reason, strings.Join(api.written, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

func TestBalancerListsAgain(t *testing.T) {
	// The Service that waits gets no event of its own when the address that it asked for is freed.
	api := &fakeAPI{
		list: `{"items":[` + serviceJSON("a", `"type":"LoadBalancer","loadBalancerIP":"198.18.1.9"`, "198.18.1.9") + `,` +
			serviceJSON("b", `"type":"LoadBalancer","loadBalancerIP":"198.18.1.9"`, "") + `]}`,
		watch: event("DELETED", serviceJSON("a", "", "198.18.1.9")) + `{"not":"read"`,
	}
	b := &balancer{api: api, pool: newPool(balancerRange, balancerStatic), waiting: map[string]bool{}}
	if err := b.follow(context.Background()); err != nil {
		t.Fatalf("follow went on reading the watch: %v", err)
	}
	api.list, api.watch = `{"items":[`+serviceJSON("b", `"type":"LoadBalancer","loadBalancerIP":"198.18.1.9"`, "")+`]}`, ""
	if err := b.follow(context.Background()); err != nil {
		t.Fatal(err)
	}
	if want := []string{patched("b", `[{"ip":"198.18.1.9"}]`)}; !slices.Equal(api.written, want) {
		t.Errorf("written %v, want %v", api.written, want)
	}
}
