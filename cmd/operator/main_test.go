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
	"errors"
	"flag"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiversion "k8s.io/apimachinery/pkg/version"

	"github.com/rauta-dev/rauta/internal/leader"
)

func TestParse(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "")
	t.Setenv("POD_NAME", "")
	t.Setenv("RELATED_IMAGE_PROXY", "")
	enough := []string{"--proxy-image=proxy:1", "--operator-namespace=infra"}
	cases := map[string]struct {
		reason      string
		environment map[string]string
		args        []string
		failure     string
	}{
		"Enough":          {reason: "two settings have no default outside a pod", args: enough},
		"Environment":     {reason: "in a pod the downward API and the bundle give them", environment: map[string]string{"POD_NAMESPACE": "infra", "RELATED_IMAGE_PROXY": "proxy:1"}},
		"NoProxyImage":    {reason: "every Gateway would fail later, and further away", args: enough[1:], failure: "--proxy-image"},
		"NoNamespace":     {reason: "the certificate authority must have a place", args: enough[:1], failure: "--operator-namespace"},
		"NoController":    {reason: "an empty name would match no class", args: append([]string{"--controller-name="}, enough...), failure: "--controller-name"},
		"Argument":        {reason: "a forgotten dash must not be passed over", args: append(enough, "leader-elect"), failure: `"leader-elect"`},
		"UnknownFlag":     {reason: "a typo must not be passed over", args: append(enough, "--proxy-imgae=x"), failure: "proxy-imgae"},
		"Terms":           {reason: "a leader that gives up after the others took over is a second one", args: append(enough, "--leader-elect-renew-deadline=10s"), failure: "--leader-elect-renew-deadline (10s)"},
		"Alone":           {reason: "without an election its terms do not matter", args: append(enough, "--leader-elect-renew-deadline=10s", "--leader-elect=false")},
		"Version":         {reason: "asking for the version needs no settings", args: []string{"--version"}},
		"ShortIdentities": {reason: "a certificate must outlive the way of its successor into a pod", args: append([]string{"--identity-lifetime=3m"}, enough...), failure: "--identity-lifetime 3m0s"},
		"LongIdentities":  {reason: "one that is stolen must not serve for a year", args: append([]string{"--identity-lifetime=721h"}, enough...), failure: "--identity-lifetime 721h"},
		"Identities":      {reason: "the shortest life is still one", args: append([]string{"--identity-lifetime=4m"}, enough...)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for variable, value := range tc.environment {
				t.Setenv(variable, value)
			}
			flags := flag.NewFlagSet("operator", flag.ContinueOnError)
			flags.SetOutput(io.Discard)
			_, err := parse(flags, tc.args)
			switch {
			case tc.failure == "" && err != nil:
				t.Errorf("%s: %v", tc.reason, err)
			case tc.failure != "" && (err == nil || !strings.Contains(err.Error(), tc.failure)):
				t.Errorf("%s: got %v, want an error that names %s", tc.reason, err, tc.failure)
			}
		})
	}
}

// The pod's grace period, which config/manager sets, is for an API server that does not answer.
func TestTheOperatorEndsInTime(t *testing.T) {
	content, err := os.ReadFile("../../config/manager/manager.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`terminationGracePeriodSeconds: (\d+)`).FindSubmatch(content)
	if found == nil {
		t.Fatal("config/manager gives operators no grace period of their own")
	}
	grace, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	longest := shutdownPatience + leader.DefaultTerms().RenewDeadline
	if longest >= 10*time.Second || longest >= time.Duration(grace)*time.Second {
		t.Errorf("an operator may take %s to end: want less than ten seconds, and than its %d s of grace", longest, grace)
	}
}

// said is an API server's answer to being asked for its version.
type said struct{ err error }

func (s said) ServerVersion() (*apiversion.Info, error) { return nil, s.err }

func TestAnswers(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		waits  bool
	}{
		"Answers":      {reason: "there is nothing to wait for"},
		"Refuses":      {reason: "no waiting gives an operator rights; what comes next says which are missing", err: apierrors.NewForbidden(schema.GroupResource{}, "version", errors.New("no"))},
		"Unauthorized": {reason: "a token that is none does not become one", err: apierrors.NewUnauthorized("who are you")},
		"Starts":       {reason: "an API server that is about to end, or to be there, says so", err: apierrors.NewServiceUnavailable("later"), waits: true},
		"Away":         {reason: "nobody listens", err: errors.New("connection refused"), waits: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := answers(said{tc.err}); (err != nil) != tc.waits {
				t.Errorf("%s: got %v, want to wait: %v", tc.reason, err, tc.waits)
			}
		})
	}
}
