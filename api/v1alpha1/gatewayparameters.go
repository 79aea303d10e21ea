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

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KindGatewayParameters is the kind that a parametersRef names.
const KindGatewayParameters = "GatewayParameters"

// GatewayParameters says how the proxies of Gateways are provisioned. A GatewayClass refers to one in its
// spec.parametersRef (with a namespace), a Gateway to one in its own namespace in
// spec.infrastructure.parametersRef. Where both do, the class's values are defaults and the Gateway's win.
//
// Whoever may write GatewayParameters decides on pod templates through `patches`: grant it as carefully as the right to
// create Deployments in that namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=gatewayparameters,singular=gatewayparameters,shortName=gwparams,categories=gateway-api
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.spec.replicas`
// +kubebuilder:printcolumn:name="Min",type=integer,JSONPath=`.spec.autoscaling.minReplicas`,priority=1
// +kubebuilder:printcolumn:name="Max",type=integer,JSONPath=`.spec.autoscaling.maxReplicas`,priority=1
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.spec.service.type`
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.spec.image.reference`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type GatewayParameters struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the administrator wants.
	// +optional
	Spec GatewayParametersSpec `json:"spec,omitempty"`
}

// GatewayParametersList is a list of GatewayParameters.
//
// +kubebuilder:object:root=true
type GatewayParametersList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []GatewayParameters `json:"items"`
}

// GatewayParametersSpec describes the objects that are made for a Gateway. Every field is optional; an absent
// field leaves the default, or what the GatewayClass's parameters say.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.replicas) && has(self.autoscaling))",message="replicas and autoscaling exclude each other: an autoscaler owns the number of replicas"
type GatewayParametersSpec struct {
	// replicas is the number of proxy pods. The default is 2. It excludes autoscaling; a Gateway that sets one of
	// the two takes back the other from its class.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Replicas *int32 `json:"replicas,omitempty"`

	// autoscaling creates a HorizontalPodAutoscaler and leaves the number of replicas to it.
	// +optional
	Autoscaling *Autoscaling `json:"autoscaling,omitempty"`

	// image is the proxy's container image and how it is pulled.
	// +optional
	Image *Image `json:"image,omitempty"`

	// resources are the proxy container's requests and limits. Requests and limits are merged by resource name.
	// +optional
	Resources *Resources `json:"resources,omitempty"`

	// scheduling says on which nodes the pods may run, and which they prefer.
	// +optional
	Scheduling *Scheduling `json:"scheduling,omitempty"`

	// service describes the Service in front of the proxy.
	// +optional
	Service *Service `json:"service,omitempty"`

	// labels are added to every generated object and to the pods. A change of labels on pods replaces them.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() <= 317 && key.matches(r\"\"\"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$\"\"\"))",message="label keys are an optional DNS subdomain and a slash, then a name of up to 63 characters"
	// +kubebuilder:validation:XValidation:rule="self.all(key, !key.startsWith('gateway.rauta.dev/') && !key.startsWith('gateway.networking.k8s.io/') && !(key in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/component', 'app.kubernetes.io/managed-by']))",message="label keys that RAUTA sets itself cannot be given"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations are added to every generated object and to the pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() <= 317 && key.matches(r\"\"\"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$\"\"\"))",message="annotation keys are an optional DNS subdomain and a slash, then a name of up to 63 characters"
	// +kubebuilder:validation:XValidation:rule="self.all(key, !key.startsWith('gateway.rauta.dev/'))",message="annotation keys that RAUTA sets itself cannot be given"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// logLevel is the least severe level that the proxy logs. The default is info.
	// +optional
	LogLevel *LogLevel `json:"logLevel,omitempty"`

	// drain says how a replica ends.
	// +optional
	Drain *Drain `json:"drain,omitempty"`

	// disruption bounds how many replicas an eviction may take away at once. It has no effect where there is only one
	// replica, which no budget could keep available.
	// +optional
	Disruption *Disruption `json:"disruption,omitempty"`

	// limits bound what clients and backends may take. They are merged field by field.
	// +optional
	Limits *Limits `json:"limits,omitempty"`

	// backends says how requests are sent to the endpoints of a Service.
	// +optional
	Backends *Backends `json:"backends,omitempty"`

	// trustedHops is how many proxies stand in front of this one and are believed about whom they forward for: as many
	// entries, from the right, of X-Forwarded-For and Forwarded are kept. The default is 0, which replaces what clients send of them.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=32
	TrustedHops *int32 `json:"trustedHops,omitempty"`

	// proxyProtocol says where the header of the PROXY protocol is expected and where it is sent.
	// +optional
	ProxyProtocol *ProxyProtocol `json:"proxyProtocol,omitempty"`

	// patches are applied to the generated objects last, in order; the class's before the Gateway's. They reach
	// everything that the fields above do not: sidecars, volumes, node ports, network policies. A patch cannot add objects, and
	// cannot change their kind, name, namespace, owner, selector or service account.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	Patches []Patch `json:"patches,omitempty"`
}

// LabelValue is the value of a Kubernetes label.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`
type LabelValue string

// AnnotationValue is the value of a Kubernetes annotation.
//
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// LogLevel is the least severe level that a proxy logs.
//
// +kubebuilder:validation:Enum=debug;info;warn;error
type LogLevel string

// The log levels, from the most to the least talkative.
const (
	LogLevelDebug LogLevel = "debug"
	LogLevelInfo  LogLevel = "info"
	LogLevelWarn  LogLevel = "warn"
	LogLevelError LogLevel = "error"
)

// Duration is a length of time such as 5s, 1m30s or 500ms (GEP-2257).
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
// +kubebuilder:validation:XValidation:rule="duration(self) <= duration('1h')",message="must not exceed one hour"
type Duration string

// Image is the proxy's container image.
type Image struct {
	// reference is the image's name with its tag or digest. The default is the operator's.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^\S+$`
	Reference *string `json:"reference,omitempty"`

	// pullPolicy says when the image is pulled. The default is IfNotPresent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	PullPolicy *corev1.PullPolicy `json:"pullPolicy,omitempty"`

	// pullSecrets name Secrets in the Gateway's namespace that hold registry credentials.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	PullSecrets []corev1.LocalObjectReference `json:"pullSecrets,omitempty"`
}

// Resources are the proxy container's requests and limits.
type Resources struct {
	// requests are what the scheduler reserves. The defaults are 50m of CPU and 64Mi of memory.
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`

	// limits are what the container may not exceed. The default is 1Gi of memory, and no limit of CPU.
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
}

// Autoscaling bounds the number of replicas that a HorizontalPodAutoscaler chooses.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",message="minReplicas must not exceed maxReplicas"
type Autoscaling struct {
	// minReplicas is the least number of replicas. The default is 2, or maxReplicas where that is less.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MinReplicas *int32 `json:"minReplicas,omitempty"`

	// maxReplicas is the greatest number of replicas.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxReplicas int32 `json:"maxReplicas"`

	// targetCPUUtilizationPercentage is the use of CPU, in percent of the request, that the number of replicas is
	// steered to. The default is 80.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	TargetCPUUtilizationPercentage *int32 `json:"targetCPUUtilizationPercentage,omitempty"`
}

// Scheduling says where the pods run. A list that is given replaces the class's list; node labels are merged.
type Scheduling struct {
	// nodeSelector are labels that a node must have.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// tolerations are the taints that the pods tolerate.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// affinity attracts the pods to nodes and pods, or keeps them apart.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// topologySpreadConstraints replace the default, which spreads the pods over nodes and zones where it can. A
	// constraint without a labelSelector counts the proxy's own pods.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// priorityClassName is the pods' PriorityClass.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName *string `json:"priorityClassName,omitempty"`
}

// Service describes the Service in front of the proxy.
//
// +kubebuilder:validation:XValidation:rule="!has(self.externalTrafficPolicy) || !has(self.type) || self.type != 'ClusterIP'",message="externalTrafficPolicy needs type LoadBalancer or NodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancerClass) || !has(self.type) || self.type == 'LoadBalancer'",message="loadBalancerClass needs type LoadBalancer"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancerSourceRanges) || !has(self.type) || self.type == 'LoadBalancer'",message="loadBalancerSourceRanges needs type LoadBalancer"
type Service struct {
	// type is how the Service is reached. The default is LoadBalancer.
	// +optional
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer
	Type *corev1.ServiceType `json:"type,omitempty"`

	// annotations are added to the Service alone: the place for a load balancer's settings.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// externalTrafficPolicy says whether traffic from outside may cross nodes (Cluster) or stays on the node that it came to,
	// with the client's address kept (Local).
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	ExternalTrafficPolicy *corev1.ServiceExternalTrafficPolicy `json:"externalTrafficPolicy,omitempty"`

	// loadBalancerClass chooses the load balancer's implementation. The API server does not let it change
	// while the Service exists.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	LoadBalancerClass *string `json:"loadBalancerClass,omitempty"`

	// loadBalancerSourceRanges are the client networks that the load balancer lets in, where it supports that.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	LoadBalancerSourceRanges []CIDR `json:"loadBalancerSourceRanges,omitempty"`
}

// CIDR is a network such as 192.0.2.0/24 or 2001:db8::/32.
//
// +kubebuilder:validation:MaxLength=43
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="must be a network such as 192.0.2.0/24 or 2001:db8::/32"
type CIDR string

// Drain says how a replica ends: after the signal it keeps accepting for delay, so that load balancers notice, then
// finishes what it has within timeout. The pod's termination grace period is their sum and 5 s.
type Drain struct {
	// delay is how long new connections are still accepted. The default is 5s.
	// +optional
	Delay *Duration `json:"delay,omitempty"`

	// timeout is how long open requests may take after that. The default is 30s.
	// +optional
	Timeout *Duration `json:"timeout,omitempty"`
}

// Disruption bounds voluntary disruptions, such as the draining of a node.
type Disruption struct {
	// maxUnavailable is the number of replicas that may be away at once. The default is 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxUnavailable *int32 `json:"maxUnavailable,omitempty"`
}

// Patch is a kustomize patch: a target among the generated objects, and what to change there.
type Patch struct {
	// target names the object to patch. There is one of each kind at most; a patch whose object is not generated
	// (a HorizontalPodAutoscaler without autoscaling) does nothing.
	// +required
	Target PatchTarget `json:"target"`

	// patch is YAML or JSON: a strategic merge patch (an object), or a JSON patch as of RFC 6902 (a list). In
	// a strategic merge patch apiVersion, kind and metadata.name may be left out.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16384
	// +kubebuilder:validation:XValidation:rule="self.matches('\\\\S')",message="must not be empty"
	Patch string `json:"patch"`
}

// PatchTarget selects generated objects, as a kustomize selector does.
type PatchTarget struct {
	// kind is the object's kind.
	// +required
	// +kubebuilder:validation:Enum=ConfigMap;Deployment;HorizontalPodAutoscaler;NetworkPolicy;PodDisruptionBudget;Service;ServiceAccount
	Kind string `json:"kind"`

	// group restricts the target to an API group, such as apps.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`

	// version restricts the target to an API version, such as v1.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Version string `json:"version,omitempty"`

	// name restricts the target to objects whose whole name matches this regular expression.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}
