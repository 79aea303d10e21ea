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
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// Merge lays a Gateway's parameters over its class's; either may be nil. The Gateway's value wins field by field; maps and
// resource lists are merged by key, other lists are replaced, and patches are appended. A Gateway that sets one of
// replicas and autoscaling takes back the other. The result shares nothing with the arguments.
func Merge(class, gateway *v1alpha1.GatewayParametersSpec) v1alpha1.GatewayParametersSpec {
	if class == nil {
		class = &v1alpha1.GatewayParametersSpec{}
	}
	if gateway == nil {
		gateway = &v1alpha1.GatewayParametersSpec{}
	}
	base, over := class.DeepCopy(), gateway.DeepCopy()

	out := v1alpha1.GatewayParametersSpec{
		Replicas:      firstSet(over.Replicas, base.Replicas),
		Autoscaling:   mergeWith(base.Autoscaling, over.Autoscaling, mergeAutoscaling),
		Image:         mergeWith(base.Image, over.Image, mergeImage),
		Resources:     mergeWith(base.Resources, over.Resources, mergeResources),
		Scheduling:    mergeWith(base.Scheduling, over.Scheduling, mergeScheduling),
		Service:       mergeWith(base.Service, over.Service, mergeService),
		Labels:        mergeMaps(base.Labels, over.Labels),
		Annotations:   mergeMaps(base.Annotations, over.Annotations),
		LogLevel:      firstSet(over.LogLevel, base.LogLevel),
		Drain:         mergeWith(base.Drain, over.Drain, mergeDrain),
		Disruption:    mergeWith(base.Disruption, over.Disruption, mergeDisruption),
		Limits:        mergeWith(base.Limits, over.Limits, mergeLimits),
		Backends:      mergeWith(base.Backends, over.Backends, mergeBackends),
		TrustedHops:   firstSet(over.TrustedHops, base.TrustedHops),
		ProxyProtocol: mergeWith(base.ProxyProtocol, over.ProxyProtocol, mergeProxyProtocol),
		Patches:       slices.Concat(base.Patches, over.Patches),
	}
	if over.Replicas != nil {
		out.Autoscaling = nil
	}
	if over.Autoscaling != nil {
		out.Replicas = nil
	}
	return out
}

func mergeAutoscaling(base, over v1alpha1.Autoscaling) v1alpha1.Autoscaling {
	return v1alpha1.Autoscaling{
		MinReplicas:                    firstSet(over.MinReplicas, base.MinReplicas),
		MaxReplicas:                    over.MaxReplicas, // required, so the Gateway has given it
		TargetCPUUtilizationPercentage: firstSet(over.TargetCPUUtilizationPercentage, base.TargetCPUUtilizationPercentage),
	}
}

func mergeImage(base, over v1alpha1.Image) v1alpha1.Image {
	return v1alpha1.Image{
		Reference:   firstSet(over.Reference, base.Reference),
		PullPolicy:  firstSet(over.PullPolicy, base.PullPolicy),
		PullSecrets: firstList(over.PullSecrets, base.PullSecrets),
	}
}

func mergeResources(base, over v1alpha1.Resources) v1alpha1.Resources {
	return v1alpha1.Resources{
		Requests: corev1.ResourceList(mergeMaps(base.Requests, over.Requests)),
		Limits:   corev1.ResourceList(mergeMaps(base.Limits, over.Limits)),
	}
}

func mergeScheduling(base, over v1alpha1.Scheduling) v1alpha1.Scheduling {
	return v1alpha1.Scheduling{
		NodeSelector:              mergeMaps(base.NodeSelector, over.NodeSelector),
		Tolerations:               firstList(over.Tolerations, base.Tolerations),
		Affinity:                  firstSet(over.Affinity, base.Affinity),
		TopologySpreadConstraints: firstList(over.TopologySpreadConstraints, base.TopologySpreadConstraints),
		PriorityClassName:         firstSet(over.PriorityClassName, base.PriorityClassName),
	}
}

func mergeService(base, over v1alpha1.Service) v1alpha1.Service {
	return v1alpha1.Service{
		Type:                     firstSet(over.Type, base.Type),
		Annotations:              mergeMaps(base.Annotations, over.Annotations),
		ExternalTrafficPolicy:    firstSet(over.ExternalTrafficPolicy, base.ExternalTrafficPolicy),
		LoadBalancerClass:        firstSet(over.LoadBalancerClass, base.LoadBalancerClass),
		LoadBalancerSourceRanges: firstList(over.LoadBalancerSourceRanges, base.LoadBalancerSourceRanges),
	}
}

func mergeDrain(base, over v1alpha1.Drain) v1alpha1.Drain {
	return v1alpha1.Drain{
		Delay:   firstSet(over.Delay, base.Delay),
		Timeout: firstSet(over.Timeout, base.Timeout),
	}
}

func mergeDisruption(base, over v1alpha1.Disruption) v1alpha1.Disruption {
	return v1alpha1.Disruption{MaxUnavailable: firstSet(over.MaxUnavailable, base.MaxUnavailable)}
}

func mergeLimits(base, over v1alpha1.Limits) v1alpha1.Limits {
	return v1alpha1.Limits{
		MaxRequestLineBytes:  firstSet(over.MaxRequestLineBytes, base.MaxRequestLineBytes),
		MaxHeaderBytes:       firstSet(over.MaxHeaderBytes, base.MaxHeaderBytes),
		MaxFields:            firstSet(over.MaxFields, base.MaxFields),
		MaxBodyBytes:         firstSet(over.MaxBodyBytes, base.MaxBodyBytes),
		MaxTrailerBytes:      firstSet(over.MaxTrailerBytes, base.MaxTrailerBytes),
		MaxConcurrentStreams: firstSet(over.MaxConcurrentStreams, base.MaxConcurrentStreams),
		HeaderTimeout:        firstSet(over.HeaderTimeout, base.HeaderTimeout),
		IdleTimeout:          firstSet(over.IdleTimeout, base.IdleTimeout),
		BodyTimeout:          firstSet(over.BodyTimeout, base.BodyTimeout),
		WriteTimeout:         firstSet(over.WriteTimeout, base.WriteTimeout),
		ConnectTimeout:       firstSet(over.ConnectTimeout, base.ConnectTimeout),
		ResponseTimeout:      firstSet(over.ResponseTimeout, base.ResponseTimeout),
		StreamTimeout:        firstSet(over.StreamTimeout, base.StreamTimeout),
		StreamIdleTimeout:    firstSet(over.StreamIdleTimeout, base.StreamIdleTimeout),
		DatagramIdleTimeout:  firstSet(over.DatagramIdleTimeout, base.DatagramIdleTimeout),
		MaxDatagramSessions:  firstSet(over.MaxDatagramSessions, base.MaxDatagramSessions),
	}
}

func mergeBackends(base, over v1alpha1.Backends) v1alpha1.Backends {
	return v1alpha1.Backends{
		Balancing:      firstSet(over.Balancing, base.Balancing),
		MaxConnections: firstSet(over.MaxConnections, base.MaxConnections),
	}
}

// mergeProxyProtocol takes accept whole: a Gateway's ports with its class's peers would believe whom nobody named for them.
func mergeProxyProtocol(base, over v1alpha1.ProxyProtocol) v1alpha1.ProxyProtocol {
	return v1alpha1.ProxyProtocol{
		Accept: firstSet(over.Accept, base.Accept),
		Send:   firstList(over.Send, base.Send),
	}
}

// mergeWith merges two structs of which either may be absent.
func mergeWith[T any](base, over *T, merge func(base, over T) T) *T {
	if base == nil {
		return over
	}
	if over == nil {
		return base
	}
	merged := merge(*base, *over)
	return &merged
}

// mergeMaps lays over on base, key by key; nil where both are empty.
func mergeMaps[K comparable, V any](base, over map[K]V) map[K]V {
	if len(base) == 0 && len(over) == 0 {
		return nil
	}
	out := make(map[K]V, len(base)+len(over))
	maps.Copy(out, base)
	maps.Copy(out, over)
	return out
}

func firstSet[T any](values ...*T) *T {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

func firstList[T any](lists ...[]T) []T {
	for _, l := range lists {
		if len(l) > 0 {
			return l
		}
	}
	return nil
}
