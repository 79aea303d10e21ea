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

package provision_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/provision"
)

func TestApplyOfAnUnchangedWorldWritesNothing(t *testing.T) {
	c := newCluster(t)
	gateway := c.gateway("web")
	objects := render(t, input(gateway))
	applier := &provision.Applier{Client: c.client}
	if err := applier.Apply(t.Context(), gateway, objects); err != nil {
		t.Fatal(err)
	}
	before := c.versions(objects)
	first := c.sent.total()
	if first != len(objects) {
		t.Errorf("%d requests made %d objects", first, len(objects))
	}

	if err := applier.Apply(t.Context(), gateway, render(t, input(gateway))); err != nil {
		t.Fatal(err)
	}
	if again := c.sent.total() - first; again != 0 {
		t.Errorf("the second Apply sent %d requests, want none", again)
	}

	restarted := &provision.Applier{Client: c.client}
	if err := restarted.Apply(t.Context(), gateway, objects); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, c.versions(objects)); diff != "" {
		t.Errorf("a restarted operator changed objects (-before +after):\n%s", diff)
	}
}

func TestApplyRepairsWhatOthersChanged(t *testing.T) {
	cases := map[string]struct {
		reason string
		spoil  func(t *testing.T, c *cluster, name string)
		check  func(c *cluster, name string) string
	}{
		"a value that another manager overwrote": {
			reason: "a hand-edited image must not stay",
			spoil: func(t *testing.T, c *cluster, name string) {
				deployment := &appsv1.Deployment{}
				c.mustGet(name, deployment)
				deployment.Spec.Template.Spec.Containers[0].Image = "example.com/other:1"
				if err := c.client.Update(t.Context(), deployment); err != nil {
					t.Fatal(err)
				}
			},
			check: func(c *cluster, name string) string {
				deployment := &appsv1.Deployment{}
				c.mustGet(name, deployment)
				return cmp.Diff("rauta.dev/rauta-proxy:test", deployment.Spec.Template.Spec.Containers[0].Image)
			},
		},
		"a rule that was added to the network policy": {
			reason: "the list of rules is one value: an extra rule that opens the admin port is a change of ours",
			spoil: func(t *testing.T, c *cluster, name string) {
				policy := &networkingv1.NetworkPolicy{}
				c.mustGet(name, policy)
				policy.Spec.Ingress = append(policy.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{})
				if err := c.client.Update(t.Context(), policy); err != nil {
					t.Fatal(err)
				}
			},
			check: func(c *cluster, name string) string {
				policy := &networkingv1.NetworkPolicy{}
				c.mustGet(name, policy)
				return cmp.Diff(4, len(policy.Spec.Ingress))
			},
		},
		"a label that was removed": {
			reason: "removal is a change too, and without the label an object is not found again",
			spoil: func(t *testing.T, c *cluster, name string) {
				service := &corev1.Service{}
				c.mustGet(name, service)
				delete(service.Labels, "app.kubernetes.io/managed-by")
				if err := c.client.Update(t.Context(), service); err != nil {
					t.Fatal(err)
				}
			},
			check: func(c *cluster, name string) string {
				service := &corev1.Service{}
				c.mustGet(name, service)
				return cmp.Diff("rauta", service.Labels["app.kubernetes.io/managed-by"])
			},
		},
		"an object that was deleted": {
			reason: "what is wanted comes back",
			spoil: func(t *testing.T, c *cluster, name string) {
				budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: name}}
				if err := c.client.Delete(t.Context(), budget); err != nil {
					t.Fatal(err)
				}
			},
			check: func(c *cluster, name string) string {
				c.mustGet(name, &policyv1.PodDisruptionBudget{})
				return ""
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			gateway := c.gateway("web")
			objects := render(t, input(gateway))
			applier := &provision.Applier{Client: c.client}
			if err := applier.Apply(t.Context(), gateway, objects); err != nil {
				t.Fatal(err)
			}
			tc.spoil(t, c, "web-rauta")

			before := c.sent.applies.Load()
			if err := applier.Apply(t.Context(), gateway, objects); err != nil {
				t.Fatal(err)
			}
			if diff := tc.check(c, "web-rauta"); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if sent := c.sent.applies.Load() - before; sent != 1 {
				t.Errorf("%d requests repaired one object", sent)
			}
		})
	}
}

// What others add beside our fields is theirs: a cloud controller's annotation, an autoscaler's replicas, status.
func TestApplyLeavesOthersFieldsAlone(t *testing.T) {
	c := newCluster(t)
	gateway := c.gateway("web")
	in := input(gateway)
	in.Parameters.Autoscaling = &v1alpha1.Autoscaling{MaxReplicas: 9}
	objects := render(t, in)
	applier := &provision.Applier{Client: c.client}
	if err := applier.Apply(t.Context(), gateway, objects); err != nil {
		t.Fatal(err)
	}

	deployment := &appsv1.Deployment{}
	c.mustGet("web-rauta", deployment)
	deployment.Spec.Replicas = new(int32(7))
	deployment.Annotations = map[string]string{"example.com/seen": "yes"}
	if err := c.client.Update(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}
	deployment.Status.Replicas = 7
	if err := c.client.Status().Update(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}

	before := c.sent.total()
	if err := applier.Apply(t.Context(), gateway, objects); err != nil {
		t.Fatal(err)
	}
	if sent := c.sent.total() - before; sent != 0 {
		t.Errorf("others' changes made Apply send %d requests, want none", sent)
	}
	if err := (&provision.Applier{Client: c.client}).Apply(t.Context(), gateway, objects); err != nil {
		t.Fatal(err)
	}
	c.mustGet("web-rauta", deployment)
	if *deployment.Spec.Replicas != 7 || deployment.Annotations["example.com/seen"] != "yes" {
		t.Errorf("replicas %d and annotations %v: an applied Deployment lost what others had set", *deployment.Spec.Replicas, deployment.Annotations)
	}
}

// A Deployment that is handed to an autoscaler keeps its number of replicas; server-side apply alone would make it 1.
func TestApplyHandsReplicasOver(t *testing.T) {
	c := newCluster(t)
	gateway := c.gateway("web")
	applier := &provision.Applier{Client: c.client}
	replicas := func() int32 {
		deployment := &appsv1.Deployment{}
		c.mustGet("web-rauta", deployment)
		return *deployment.Spec.Replicas
	}

	in := input(gateway)
	in.Parameters.Replicas = new(int32(5))
	if err := applier.Apply(t.Context(), gateway, render(t, in)); err != nil {
		t.Fatal(err)
	}
	in.Parameters = v1alpha1.GatewayParametersSpec{Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: 9}}
	if err := applier.Apply(t.Context(), gateway, render(t, in)); err != nil {
		t.Fatal(err)
	}
	if got := replicas(); got != 5 {
		t.Errorf("handed over with %d replicas, want the 5 that there were", got)
	}
	c.mustGet("web-rauta", &autoscalingv2.HorizontalPodAutoscaler{})

	in.Parameters = v1alpha1.GatewayParametersSpec{Replicas: new(int32(3))}
	if err := applier.Apply(t.Context(), gateway, render(t, in)); err != nil {
		t.Fatal(err)
	}
	if got := replicas(); got != 3 {
		t.Errorf("taken back with %d replicas, want 3", got)
	}
	if err := c.get("web-rauta", &autoscalingv2.HorizontalPodAutoscaler{}); !apierrors.IsNotFound(err) {
		t.Errorf("the autoscaler is still there (%v)", err)
	}
}

func TestApplyPrunesOnlyItsOwn(t *testing.T) {
	c := newCluster(t)
	gateway, neighbour := c.gateway("web"), c.gateway("other")
	applier := &provision.Applier{Client: c.client}
	if err := applier.Apply(t.Context(), neighbour, render(t, input(neighbour))); err != nil {
		t.Fatal(err)
	}
	// The Gateway's objects of another class, as if it had just moved.
	in := input(gateway)
	in.ClassName = "before"
	if err := applier.Apply(t.Context(), gateway, render(t, in)); err != nil {
		t.Fatal(err)
	}
	// Ours by label, but nobody's by control; and the Gateway's by control, but made by somebody else.
	labelled := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: c.namespace, Name: "labelled", Labels: map[string]string{"app.kubernetes.io/managed-by": "rauta"},
	}}
	controlled := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: c.namespace, Name: "controlled", OwnerReferences: []metav1.OwnerReference{ownerReference(gateway)},
	}}
	c.create(labelled)
	c.create(controlled)

	moved := input(gateway)
	moved.Parameters.Replicas = new(int32(1)) // no budget for one
	if err := applier.Apply(t.Context(), gateway, render(t, moved)); err != nil {
		t.Fatal(err)
	}

	for _, kind := range prunable {
		for name, want := range map[string]bool{
			"web-before":  false,
			"web-rauta":   kind.Kind != "PodDisruptionBudget",
			"other-rauta": true,
		} {
			live := &unstructured.Unstructured{}
			live.SetGroupVersionKind(kind)
			err := c.get(name, live)
			if client.IgnoreNotFound(err) != nil {
				t.Fatal(err)
			}
			if got := err == nil; got != want {
				t.Errorf("%s %s: there is %v, want %v", kind.Kind, name, got, want)
			}
		}
	}
	c.mustGet("labelled", &corev1.ConfigMap{})
	c.mustGet("controlled", &corev1.ConfigMap{})
}

// prunable are the kinds of which each Gateway without an autoscaler has one.
var prunable = []schema.GroupVersionKind{
	{Version: "v1", Kind: "ConfigMap"},
	{Version: "v1", Kind: "Secret"},
	{Version: "v1", Kind: "Service"},
	{Version: "v1", Kind: "ServiceAccount"},
	{Group: "apps", Version: "v1", Kind: "Deployment"},
	{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
	{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
}

func TestApplyNeverAdopts(t *testing.T) {
	cases := map[string]struct {
		reason string
		taken  func(c *cluster) client.Object
	}{
		"an object without an owner": {
			reason: "somebody's Service that happens to have the name",
			taken: func(*cluster) client.Object {
				return &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}}}
			},
		},
		"an object of another Gateway": {
			reason: "Gateway a-b of class c and Gateway a of class b-c want the same name",
			taken: func(c *cluster) client.Object {
				return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
					OwnerReferences: []metav1.OwnerReference{ownerReference(c.gateway("another"))},
				}}
			},
		},
		"an object of the same Gateway's earlier life": {
			reason: "it is about to be collected; what is applied to it would vanish with it",
			taken: func(c *cluster) client.Object {
				earlier := c.gateway("web")
				earlier.UID = "an-earlier-uid"
				return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
					OwnerReferences: []metav1.OwnerReference{ownerReference(earlier)},
				}}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			taken := tc.taken(c)
			taken.SetNamespace(c.namespace)
			taken.SetName("web-rauta")
			c.create(taken)
			version := taken.GetResourceVersion()

			gateway := c.gateway("web")
			err := (&provision.Applier{Client: c.client}).Apply(t.Context(), gateway, render(t, input(gateway)))
			var collision *provision.CollisionError
			if !errors.As(err, &collision) {
				t.Fatalf("%s: got error %v, want a CollisionError", tc.reason, err)
			}
			if collision.Namespace != c.namespace || collision.Name != "web-rauta" || collision.Kind == "" {
				t.Errorf("the error does not name the object: %+v", collision)
			}
			if sent := c.sent.total(); sent != 0 {
				t.Errorf("%d requests were sent; nothing may be written beside a collision", sent)
			}
			c.mustGet("web-rauta", taken)
			if taken.GetResourceVersion() != version {
				t.Error("the object in the way was changed")
			}
		})
	}
}

// A cache that holds only labelled objects does not show what stands in the way; the API server does.
func TestApplyLooksPastTheCacheBeforeItCreates(t *testing.T) {
	c := newCluster(t)
	c.create(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "web-rauta"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}},
	})
	gateway := c.gateway("web")
	blind := interceptor.NewClient(c.client.(client.WithWatch), interceptor.Funcs{
		Get: func(_ context.Context, _ client.WithWatch, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
			return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
		},
	})
	err := (&provision.Applier{Client: blind, Live: c.client}).Apply(t.Context(), gateway, render(t, input(gateway)))
	var collision *provision.CollisionError
	if !errors.As(err, &collision) {
		t.Fatalf("got error %v, want a CollisionError", err)
	}
	if sent := c.sent.total(); sent != 0 {
		t.Errorf("%d requests were sent", sent)
	}
}

// The cache still shows our object when somebody else has already made another of its name.
func TestApplyDoesNotTakeOverAReplacement(t *testing.T) {
	c := newCluster(t)
	gateway := c.gateway("web")
	objects := render(t, input(gateway))
	if err := (&provision.Applier{Client: c.client}).Apply(t.Context(), gateway, objects); err != nil {
		t.Fatal(err)
	}
	stale := &corev1.ConfigMap{}
	c.mustGet("web-rauta", stale)
	if err := c.client.Delete(t.Context(), stale.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	foreign := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "web-rauta"},
		Data:       map[string]string{"mine": "yes"},
	}
	c.create(foreign)

	lagging := interceptor.NewClient(c.client.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, next client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			if configMap, isConfigMap := into.(*corev1.ConfigMap); isConfigMap {
				stale.DeepCopyInto(configMap)
				return nil
			}
			return next.Get(ctx, key, into, options...)
		},
	})
	err := (&provision.Applier{Client: lagging}).Apply(t.Context(), gateway, objects)
	if !apierrors.IsConflict(err) {
		t.Errorf("got error %v, want a conflict", err)
	}
	c.mustGet("web-rauta", foreign)
	if diff := cmp.Diff(map[string]string{"mine": "yes"}, foreign.Data); diff != "" || len(foreign.OwnerReferences) > 0 {
		t.Errorf("the other's ConfigMap was taken over (-want +got):\n%s", diff)
	}
}

func TestApplyReportsWhatTheServerRejects(t *testing.T) {
	c := newCluster(t)
	gateway := c.gateway("web")
	applier := &provision.Applier{Client: c.client}
	old := input(gateway)
	old.ClassName = "before"
	if err := applier.Apply(t.Context(), gateway, render(t, old)); err != nil {
		t.Fatal(err)
	}

	in := input(gateway)
	in.Parameters.Patches = []v1alpha1.Patch{{
		Target: v1alpha1.PatchTarget{Kind: "Deployment"},
		Patch:  "spec: {template: {spec: {restartPolicy: OnFailure}}}",
	}}
	err := applier.Apply(t.Context(), gateway, render(t, in))
	var rejected *provision.RejectedError
	if !errors.As(err, &rejected) {
		t.Fatalf("got error %v, want a RejectedError", err)
	}
	if rejected.Kind != "Deployment" || rejected.Name != "web-rauta" || !apierrors.IsInvalid(rejected) {
		t.Errorf("the error does not tell what was rejected, and why: %+v", rejected)
	}
	// One rejected object does not freeze the others, and what works is not torn down for what does not.
	c.mustGet("web-rauta", &corev1.Service{})
	c.mustGet("web-rauta", &policyv1.PodDisruptionBudget{})
	c.mustGet("web-before", &appsv1.Deployment{})
}
