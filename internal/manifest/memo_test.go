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

package manifest

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

func TestMemo(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(in *Input)
		anew   bool
	}{
		"nothing": {
			reason: "the same input needs no other rendering",
			change: func(*Input) {},
		},
		"status and listeners": {
			reason: "they change most and are not rendered but through Ports",
			change: func(in *Input) {
				in.Gateway.ResourceVersion = "2"
				in.Gateway.Spec.Listeners = []gatewayv1.Listener{{Name: "http", Port: 80}}
				in.Gateway.Status.Addresses = []gatewayv1.GatewayStatusAddress{{Value: "192.0.2.1"}}
			},
		},
		"a port":       {reason: "it is in the Service", change: func(in *Input) { in.Ports[0].Port = 81 }, anew: true},
		"the UID":      {reason: "it is in the owner reference", change: func(in *Input) { in.Gateway.UID = "other" }, anew: true},
		"the class":    {reason: "it is in every name", change: func(in *Input) { in.ClassName = "other" }, anew: true},
		"the image":    {reason: "the operator was updated", change: func(in *Input) { in.Image = "other" }, anew: true},
		"a parameter":  {reason: "they decide most", change: func(in *Input) { in.Parameters.LogLevel = new(v1alpha1.LogLevelDebug) }, anew: true},
		"the operator": {reason: "it is in the NetworkPolicy", change: func(in *Input) { in.OperatorNamespace = "other" }, anew: true},
		"an address": {
			reason: "the Service asks for it",
			change: func(in *Input) { in.Gateway.Spec.Addresses = []gatewayv1.GatewaySpecAddress{{Value: "192.0.2.1"}} },
			anew:   true,
		},
		"infrastructure": {
			reason: "its labels are on every object",
			change: func(in *Input) {
				in.Gateway.Spec.Infrastructure = &gatewayv1.GatewayInfrastructure{Labels: map[gatewayv1.LabelKey]gatewayv1.LabelValue{"a": "b"}}
			},
			anew: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			memo := &Memo{}
			first, err := memo.Render(testInput())
			if err != nil {
				t.Fatal(err)
			}
			in := testInput()
			tc.change(&in)
			second, err := memo.Render(in)
			if err != nil {
				t.Fatal(err)
			}
			if anew := first != second; anew != tc.anew {
				t.Errorf("%s: rendered anew: %v, want %v", tc.reason, anew, tc.anew)
			}
		})
	}
}

func TestMemoRemembersFailuresAndForgets(t *testing.T) {
	memo := &Memo{}
	in := testInput()
	in.Parameters.Patches = []v1alpha1.Patch{patch("Service", "[]")}
	_, first := memo.Render(in)
	_, second := memo.Render(in)
	if first == nil || !errors.Is(second, first) {
		t.Errorf("errors %v and %v: a bad patch is searched for each time", first, second)
	}

	good, err := memo.Render(testInput())
	if err != nil {
		t.Fatal(err)
	}
	memo.Forget(types.NamespacedName{Namespace: "shop", Name: "web"})
	again, err := memo.Render(testInput())
	if err != nil {
		t.Fatal(err)
	}
	if good == again {
		t.Error("a forgotten rendering was remembered")
	}
}
