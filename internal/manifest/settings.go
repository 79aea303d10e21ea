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
	"cmp"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// Defaults where the parameters say nothing.
const (
	defaultReplicas     = 2
	defaultCPUTarget    = 80
	defaultUnavailable  = 1
	defaultDrainDelay   = 5 * time.Second
	defaultDrainTimeout = 30 * time.Second
)

// settings are the parameters with every default filled in and every contradiction refused.
type settings struct {
	image      string
	pullPolicy corev1.PullPolicy

	replicas    int32 // at least; an autoscaler may choose more
	autoscaling *v1alpha1.Autoscaling
	unavailable int32

	serviceType corev1.ServiceType

	logLevel                 string
	drainDelay, drainTimeout time.Duration

	adminPort, healthPort, peersPort int32
}

// settle fills in the defaults. What the API server checked for one GatewayParameters is checked again here, because a
// merge of two valid ones need not be valid.
func settle(in Input) (settings, error) {
	p := in.Parameters
	s := settings{
		image:       in.Image,
		pullPolicy:  corev1.PullIfNotPresent,
		replicas:    defaultReplicas,
		unavailable: defaultUnavailable,
		serviceType: corev1.ServiceTypeLoadBalancer,
		logLevel:    string(cmp.Or(deref(p.LogLevel), v1alpha1.LogLevelInfo)),
	}
	if p.Image != nil {
		s.image = cmp.Or(deref(p.Image.Reference), s.image)
		s.pullPolicy = cmp.Or(deref(p.Image.PullPolicy), s.pullPolicy)
	}
	if p.Replicas != nil {
		s.replicas = *p.Replicas
	}
	if p.Disruption != nil {
		s.unavailable = cmp.Or(deref(p.Disruption.MaxUnavailable), s.unavailable)
	}
	s.adminPort, s.healthPort, s.peersPort = ownPorts(in.Ports)

	if err := s.settleAutoscaling(p.Autoscaling, p.Replicas); err != nil {
		return settings{}, err
	}
	if err := s.settleService(p.Service); err != nil {
		return settings{}, err
	}
	if err := s.settleDrain(p.Drain); err != nil {
		return settings{}, err
	}
	return s, nil
}

func (s *settings) settleAutoscaling(a *v1alpha1.Autoscaling, replicas *int32) error {
	if a == nil {
		return nil
	}
	if replicas != nil {
		return &ParametersError{Field: "spec.replicas", Message: "excludes spec.autoscaling"}
	}
	settled := v1alpha1.Autoscaling{MaxReplicas: a.MaxReplicas, MinReplicas: a.MinReplicas}
	if settled.MinReplicas == nil {
		settled.MinReplicas = new(min(defaultReplicas, a.MaxReplicas))
	}
	if *settled.MinReplicas > settled.MaxReplicas {
		return &ParametersError{
			Field:   "spec.autoscaling.minReplicas",
			Message: fmt.Sprintf("%d exceeds maxReplicas %d", *settled.MinReplicas, settled.MaxReplicas),
		}
	}
	settled.TargetCPUUtilizationPercentage = new(cmp.Or(deref(a.TargetCPUUtilizationPercentage), defaultCPUTarget))
	s.autoscaling = &settled
	s.replicas = *settled.MinReplicas
	return nil
}

func (s *settings) settleService(svc *v1alpha1.Service) error {
	if svc == nil {
		return nil
	}
	s.serviceType = cmp.Or(deref(svc.Type), s.serviceType)
	if svc.ExternalTrafficPolicy != nil && s.serviceType == corev1.ServiceTypeClusterIP {
		return &ParametersError{
			Field:   "spec.service.externalTrafficPolicy",
			Message: "needs a Service of type LoadBalancer or NodePort, and the type is ClusterIP",
		}
	}
	if s.serviceType == corev1.ServiceTypeLoadBalancer {
		return nil
	}
	if svc.LoadBalancerClass != nil {
		return needsLoadBalancer("spec.service.loadBalancerClass", s.serviceType)
	}
	if len(svc.LoadBalancerSourceRanges) > 0 {
		return needsLoadBalancer("spec.service.loadBalancerSourceRanges", s.serviceType)
	}
	return nil
}

func needsLoadBalancer(field string, is corev1.ServiceType) error {
	return &ParametersError{
		Field:   field,
		Message: fmt.Sprintf("needs a Service of type LoadBalancer, and the type is %s", is),
	}
}

func (s *settings) settleDrain(d *v1alpha1.Drain) error {
	s.drainDelay, s.drainTimeout = defaultDrainDelay, defaultDrainTimeout
	if d == nil {
		return nil
	}
	if err := parseDuration("spec.drain.delay", d.Delay, &s.drainDelay); err != nil {
		return err
	}
	return parseDuration("spec.drain.timeout", d.Timeout, &s.drainTimeout)
}

// parseDuration sets to where the field has a value.
func parseDuration(field string, value *v1alpha1.Duration, to *time.Duration) error {
	if value == nil {
		return nil
	}
	parsed, err := time.ParseDuration(string(*value))
	if err != nil || parsed < 0 {
		return &ParametersError{Field: field, Message: fmt.Sprintf("%q is not a duration such as 5s or 1m30s", *value)}
	}
	*to = parsed
	return nil
}

// deref is the value behind p, or the zero value where p is nil.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
