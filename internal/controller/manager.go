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

package controller

import (
	"errors"
	"fmt"
	"time"
	"unique"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/leader"
	"github.com/rauta-dev/rauta/internal/pki"
)

// DefaultControllerName is what a GatewayClass names to be implemented by RAUTA.
const DefaultControllerName = "rauta.dev/gateway-controller"

// Options are what the operator is told at its start.
type Options struct {
	// ControllerName as in GatewayClass spec.controllerName.
	ControllerName string
	// ProxyImage where GatewayParameters name none.
	ProxyImage string
	// OperatorNamespace holds the certificate authority; only pods of this namespace reach the admin ports.
	OperatorNamespace string
	// OperatorPod is the operator's own pod, for Events; empty outside a cluster.
	OperatorPod string
	// IdentityLifetime is how long the certificates of the admin channel are valid; pki.LeafLifetime when it is 0.
	IdentityLifetime time.Duration
	// Registerer gets the metrics; controller-runtime's registry when it is nil.
	Registerer prometheus.Registerer
	// DialOptions are added when proxies are dialled.
	DialOptions []grpc.DialOption
	// Terms of the election of one of several operators, where the manager's options ask for one.
	Terms leader.Terms
}

// Validate names every setting that is missing.
func (o Options) Validate() error {
	var failures []error
	for _, setting := range []struct{ flag, value string }{
		{"--controller-name", o.ControllerName},
		{"--operator-namespace", o.OperatorNamespace},
		{"--proxy-image", o.ProxyImage},
	} {
		if setting.value == "" {
			failures = append(failures, fmt.Errorf("%s must not be empty", setting.flag))
		}
	}
	if l := o.IdentityLifetime; l != 0 && (l < pki.MinLeafLifetime || l > pki.MaxLeafLifetime) {
		failures = append(failures, fmt.Errorf("--identity-lifetime %s: want %s to %s", l, pki.MinLeafLifetime, pki.MaxLeafLifetime))
	}
	return errors.Join(failures...)
}

// Scheme knows every kind that the operator reads or writes.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	utilruntime.Must(gatewayv1.Install(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

// NewManager is a manager with the operator in it. What options leave open is set: scheme, cache, and all of the election but
// whether there is one.
func NewManager(config *rest.Config, options manager.Options, own Options) (manager.Manager, error) {
	mgr, _, err := newManager(config, options, own)
	return mgr, err
}

func newManager(config *rest.Config, options manager.Options, own Options) (manager.Manager, *operator, error) {
	options.Scheme = Scheme()
	options.Cache = cacheOptions()
	if own.Registerer == nil {
		own.Registerer = metrics.Registry
	}
	options.LeaderElectionNamespace = own.OperatorNamespace
	election, err := leader.Elect(config, &options, own.Terms, own.Registerer)
	if err != nil {
		return nil, nil, err
	}
	mgr, err := manager.New(config, options)
	if err != nil {
		return nil, nil, fmt.Errorf("create manager: %w", err)
	}
	if err := election.Join(mgr); err != nil {
		return nil, nil, err
	}
	o, err := setup(mgr, own, election.Fence)
	return mgr, o, err
}

// cacheOptions keep out of memory what nobody reads: the schemas of CRDs, the managed fields and annotations of what is not ours, and
// all objects of the provisioned kinds that are not ours. Services are all kept, as any of them may be a backend, and of
// Secrets those that may be a listener's certificate, which those of the proxies' identities are too; of ConfigMaps that are not
// ours only what may be certificate authorities.
func cacheOptions() cache.Options {
	byObject := map[client.Object]cache.ByObject{
		&apiextensionsv1.CustomResourceDefinition{}: {Transform: withoutSchemas},
	}
	for _, kind := range provisionedKinds() {
		byObject[kind] = cache.ByObject{Label: ownLabels}
	}
	byObject[&corev1.Secret{}] = cache.ByObject{
		Field: fields.OneTermEqualSelector("type", string(corev1.SecretTypeTLS)), Transform: certificateOnly,
	}
	byObject[&corev1.ConfigMap{}] = cache.ByObject{Transform: authoritiesOnly}
	return cache.Options{DefaultTransform: (&compact{words: map[string]string{}}).transform, ByObject: byObject}
}

// provisionedKinds are what is made for a Gateway, beside its Service, Secret and ConfigMap: a change of one, by whoever, is looked at.
func provisionedKinds() []client.Object {
	return []client.Object{
		&appsv1.Deployment{}, &corev1.ServiceAccount{},
		&policyv1.PodDisruptionBudget{}, &networkingv1.NetworkPolicy{}, &autoscalingv2.HorizontalPodAutoscaler{},
	}
}

// withoutNotes drops what is noted about an object that is not ours and that nobody here reads: its managed fields and its annotations, of
// which one often holds all of it once more (kubectl.kubernetes.io/last-applied-configuration). Of our own, provision reads in the
// managed fields whether somebody changed a field. Nothing of it is lost by writing: the API server takes a status alone from what is
// written as one.
func withoutNotes(object any) {
	meta, ok := object.(metav1.Object)
	if ok && !ownLabels.Matches(labels.Set(meta.GetLabels())) {
		meta.SetManagedFields(nil)
		meta.SetAnnotations(nil)
	}
}

// withoutPlaces drops from an EndpointSlice where its endpoints are beside their addresses, and whose, but for the UID of the pod.
func withoutPlaces(slice *discoveryv1.EndpointSlice) {
	for i := range slice.Endpoints {
		endpoint := &slice.Endpoints[i]
		endpoint.Hostname, endpoint.NodeName, endpoint.Zone, endpoint.Hints, endpoint.DeprecatedTopology = nil, nil, nil, nil, nil
		if endpoint.TargetRef != nil {
			endpoint.TargetRef = &corev1.ObjectReference{UID: endpoint.TargetRef.UID}
		}
	}
}

// certificateOnly drops from a Secret that is not ours all but its certificate and key, and whose it is.
func certificateOnly(object any) (any, error) {
	secret, ok := object.(*corev1.Secret)
	if !ok || ownLabels.Matches(labels.Set(secret.Labels)) {
		return object, nil
	}
	data := make(map[string][]byte, 2)
	for _, key := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if content, has := secret.Data[key]; has {
			data[key] = content
		}
	}
	secret.Data = data
	secret.ManagedFields, secret.Labels, secret.Annotations = nil, nil, nil
	return secret, nil
}

// authoritiesOnly drops from a ConfigMap that is not ours all but its certificate authorities, and whose it is.
func authoritiesOnly(object any) (any, error) {
	configMap, ok := object.(*corev1.ConfigMap)
	if !ok || ownLabels.Matches(labels.Set(configMap.Labels)) {
		return object, nil
	}
	bundle, has := configMap.Data["ca.crt"]
	configMap.Data, configMap.BinaryData = nil, nil
	if has {
		// Kubernetes has the same one in each namespace.
		configMap.Data = map[string]string{"ca.crt": unique.Make(bundle).Value()}
	}
	configMap.ManagedFields, configMap.Labels, configMap.Annotations = nil, nil, nil
	return configMap, nil
}

func withoutSchemas(object any) (any, error) {
	crd, ok := object.(*apiextensionsv1.CustomResourceDefinition)
	if !ok {
		return object, nil
	}
	crd.ManagedFields = nil
	for i := range crd.Spec.Versions {
		crd.Spec.Versions[i].Schema = nil
	}
	return crd, nil
}
