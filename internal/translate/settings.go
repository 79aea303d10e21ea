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

package translate

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// settingsName is the resource name of the one Settings of a table.
const settingsName = "settings"

// settingsResource renders how the proxy treats all its clients and endpoints; nil where the parameters say nothing of it.
func settingsResource(parameters *v1alpha1.GatewayParametersSpec) (*adminv1.Resource, error) {
	if parameters == nil || parameters.Limits == nil && parameters.TrustedHops == nil {
		return nil, nil
	}
	spec := &adminv1.Settings{}
	if parameters.TrustedHops != nil {
		spec.TrustedHops = uint32(*parameters.TrustedHops)
	}
	if parameters.Limits != nil {
		limits, err := limitsSpec(parameters.Limits)
		if err != nil {
			return nil, err
		}
		spec.Limits = limits
	}
	return &adminv1.Resource{Name: settingsName, Spec: &adminv1.Resource_Settings{Settings: spec}}, nil
}

func limitsSpec(limits *v1alpha1.Limits) (*adminv1.Limits, error) {
	spec := &adminv1.Limits{
		MaxRequestLineBytes:  unsigned(limits.MaxRequestLineBytes),
		MaxHeaderBytes:       unsigned(limits.MaxHeaderBytes),
		MaxFields:            unsigned(limits.MaxFields),
		MaxTrailerBytes:      unsigned(limits.MaxTrailerBytes),
		MaxConcurrentStreams: unsigned(limits.MaxConcurrentStreams),
		MaxDatagramSessions:  unsigned(limits.MaxDatagramSessions),
	}
	if limits.MaxBodyBytes != nil {
		spec.MaxBodyBytes = new(uint64(*limits.MaxBodyBytes))
	}
	for _, timeout := range []struct {
		field string
		value *string
		to    **durationpb.Duration
	}{
		{"headerTimeout", (*string)(limits.HeaderTimeout), &spec.HeaderTimeout},
		{"idleTimeout", (*string)(limits.IdleTimeout), &spec.IdleTimeout},
		{"bodyTimeout", (*string)(limits.BodyTimeout), &spec.BodyTimeout},
		{"writeTimeout", (*string)(limits.WriteTimeout), &spec.WriteTimeout},
		{"connectTimeout", (*string)(limits.ConnectTimeout), &spec.ConnectTimeout},
		{"responseTimeout", (*string)(limits.ResponseTimeout), &spec.ResponseTimeout},
		{"streamTimeout", (*string)(limits.StreamTimeout), &spec.StreamTimeout},
		{"streamIdleTimeout", (*string)(limits.StreamIdleTimeout), &spec.StreamIdleTimeout},
		{"datagramIdleTimeout", (*string)(limits.DatagramIdleTimeout), &spec.DatagramIdleTimeout},
	} {
		if timeout.value == nil {
			continue
		}
		parsed, err := time.ParseDuration(*timeout.value)
		if err != nil {
			return nil, fmt.Errorf("GatewayParameters spec.limits.%s: %q is not a duration such as 5s", timeout.field, *timeout.value)
		}
		*timeout.to = durationpb.New(parsed)
	}
	return spec, nil
}

func unsigned(value *int32) *uint32 {
	if value == nil {
		return nil
	}
	return new(uint32(*value))
}

// sendAs says how requests and connections are spread over the endpoints of a backend.
func sendAs(backend *adminv1.Backend, parameters *v1alpha1.GatewayParametersSpec) {
	if parameters == nil || parameters.Backends == nil {
		return
	}
	if balancing := parameters.Backends.Balancing; balancing != nil {
		switch *balancing {
		case v1alpha1.BalancingLeastRequest:
			backend.Balancing = adminv1.Balancing_BALANCING_LEAST_REQUEST
		case v1alpha1.BalancingRoundRobin:
			backend.Balancing = adminv1.Balancing_BALANCING_ROUND_ROBIN
		}
	}
	if most := parameters.Backends.MaxConnections; most != nil {
		backend.MaxConnections = uint32(*most)
	}
}
