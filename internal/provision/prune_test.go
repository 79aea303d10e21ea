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
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rauta-dev/rauta/internal/provision"
)

// behind is a client whose lists of budgets are those of a cache that has not moved since it was asked first.
func behind(c *cluster) client.Client {
	var seen *policyv1.PodDisruptionBudgetList
	return interceptor.NewClient(c.client.(client.WithWatch), interceptor.Funcs{
		List: func(ctx context.Context, next client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			budgets, ok := list.(*policyv1.PodDisruptionBudgetList)
			if !ok {
				return next.List(ctx, list, options...)
			}
			if seen == nil {
				if err := next.List(ctx, list, options...); err != nil {
					return err
				}
				seen = budgets.DeepCopy()
			}
			seen.DeepCopyInto(budgets)
			return nil
		},
	})
}

// What is to go by what an operator has read is asked for once more, of the API server itself.
func TestNothingIsDeletedByWhatIsOutdated(t *testing.T) {
	cases := map[string]struct {
		reason string
		// meanwhile happens after the operator has read, and before it deletes.
		meanwhile func(t *testing.T, c *cluster, basis *appsv1.Deployment)
		conflict  bool
		stays     bool
	}{
		"Nothing": {
			reason:    "what is decided on what is so is done",
			meanwhile: func(*testing.T, *cluster, *appsv1.Deployment) {},
		},
		"BasisChanged": {
			reason: "by what the object says now it may be wanted",
			meanwhile: func(t *testing.T, c *cluster, basis *appsv1.Deployment) {
				basis.Spec.Paused = true
				if err := c.client.Update(t.Context(), basis); err != nil {
					t.Fatal(err)
				}
			},
			conflict: true, stays: true,
		},
		"BasisGone": {
			reason: "whoever deletes an object has not said what is to become of what was decided by it",
			meanwhile: func(t *testing.T, c *cluster, basis *appsv1.Deployment) {
				if err := c.client.Delete(t.Context(), basis); err != nil {
					t.Fatal(err)
				}
			},
			conflict: true, stays: true,
		},
		"GivenAway": {
			reason: "what another controls by now is not the Gateway's to delete",
			meanwhile: func(t *testing.T, c *cluster, _ *appsv1.Deployment) {
				budget := &policyv1.PodDisruptionBudget{}
				c.mustGet("web-rauta", budget)
				budget.OwnerReferences = []metav1.OwnerReference{{
					APIVersion: "v1", Kind: "ConfigMap", Name: "another", UID: "another", Controller: new(true),
				}}
				if err := c.client.Update(t.Context(), budget); err != nil {
					t.Fatal(err)
				}
			},
			stays: true,
		},
		"Disowned": {
			reason: "a person who takes our label off has a reason",
			meanwhile: func(t *testing.T, c *cluster, _ *appsv1.Deployment) {
				budget := &policyv1.PodDisruptionBudget{}
				c.mustGet("web-rauta", budget)
				delete(budget.Labels, "app.kubernetes.io/managed-by")
				if err := c.client.Update(t.Context(), budget); err != nil {
					t.Fatal(err)
				}
			},
			stays: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			gateway := c.gateway("web")
			cache := behind(c)
			if err := (&provision.Applier{Client: c.client}).Apply(t.Context(), gateway, render(t, input(gateway))); err != nil {
				t.Fatal(err)
			}
			if err := cache.List(t.Context(), &policyv1.PodDisruptionBudgetList{}, client.InNamespace(c.namespace)); err != nil {
				t.Fatal(err)
			}
			// Any object with a generation will do as what was decided by.
			basis := &appsv1.Deployment{}
			c.mustGet("web-rauta", basis)
			basis.ResourceVersion, basis.UID, basis.Name, basis.OwnerReferences, basis.Labels = "", "", "basis", nil, nil
			c.create(basis)
			read := basis.DeepCopy()
			tc.meanwhile(t, c, basis)

			single := input(gateway)
			single.Parameters.Replicas = new(int32(1)) // no budget for one
			err := (&provision.Applier{Client: cache, Live: c.client}).Apply(t.Context(), gateway, render(t, single), read)
			if apierrors.IsConflict(err) != tc.conflict || err != nil && !tc.conflict {
				t.Errorf("%s: got %v, want a conflict: %v", tc.reason, err, tc.conflict)
			}
			err = c.get("web-rauta", &policyv1.PodDisruptionBudget{})
			if client.IgnoreNotFound(err) != nil {
				t.Fatal(err)
			}
			if stays := err == nil; stays != tc.stays {
				t.Errorf("%s: the budget is there: %v, want %v", tc.reason, stays, tc.stays)
			}
		})
	}
}

// Between the last look and the deletion there is a moment.
func TestWhatChangesAtTheLastMomentStays(t *testing.T) {
	c := newCluster(t)
	gateway := c.gateway("web")
	if err := (&provision.Applier{Client: c.client}).Apply(t.Context(), gateway, render(t, input(gateway))); err != nil {
		t.Fatal(err)
	}
	racing := interceptor.NewClient(c.client.(client.WithWatch), interceptor.Funcs{
		Delete: func(ctx context.Context, next client.WithWatch, object client.Object, options ...client.DeleteOption) error {
			budget := &policyv1.PodDisruptionBudget{}
			c.mustGet("web-rauta", budget)
			budget.Annotations = map[string]string{"changed": "at the last moment"}
			if err := next.Update(ctx, budget); err != nil {
				return err
			}
			return next.Delete(ctx, object, options...)
		},
	})
	single := input(gateway)
	single.Parameters.Replicas = new(int32(1))
	err := (&provision.Applier{Client: racing}).Apply(t.Context(), gateway, render(t, single))
	if !apierrors.IsConflict(err) {
		t.Errorf("got %v, want a conflict", err)
	}
	c.mustGet("web-rauta", &policyv1.PodDisruptionBudget{})
}

// A request that was held up on its way while another operator took over must not undo what that one applied.
func TestAHeldUpRequestUndoesNothing(t *testing.T) {
	c := newCluster(t)
	gateway := c.gateway("web")
	old := &provision.Applier{Client: c.client}
	if err := old.Apply(t.Context(), gateway, render(t, input(gateway))); err != nil {
		t.Fatal(err)
	}
	newer := input(gateway)
	newer.Image = "rauta.dev/rauta-proxy:newer"
	taken := false
	heldUp := &provision.Applier{Client: interceptor.NewClient(c.client.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, next client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			err := next.Get(ctx, key, into, options...)
			if _, isDeployment := into.(*appsv1.Deployment); isDeployment && !taken {
				taken = true
				if err := (&provision.Applier{Client: c.client}).Apply(ctx, gateway, render(t, newer)); err != nil {
					t.Error(err)
				}
			}
			return err
		},
	})}
	if err := heldUp.Apply(t.Context(), gateway, render(t, input(gateway))); !apierrors.IsConflict(err) {
		t.Errorf("got %v, want a conflict", err)
	}
	deployment := &appsv1.Deployment{}
	c.mustGet("web-rauta", deployment)
	if got := deployment.Spec.Template.Spec.Containers[0].Image; got != newer.Image {
		t.Errorf("the proxy's image is %s again", got)
	}
}

// A Deployment that rolls out has its status written all the time, which is no reason to leave it as it is; but what else has changed is.
func TestStatusesDoNotKeepObjectsFromBeingApplied(t *testing.T) {
	cases := map[string]struct {
		reason    string
		meanwhile func(t *testing.T, c *cluster, deployment *appsv1.Deployment)
		conflict  bool
	}{
		"Status": {
			reason: "its controller says how far it is",
			meanwhile: func(t *testing.T, c *cluster, deployment *appsv1.Deployment) {
				deployment.Status.ObservedGeneration++
				if err := c.client.Status().Update(t.Context(), deployment); err != nil {
					t.Fatal(err)
				}
			},
		},
		"Spec": {
			reason: "by what it says now something else may be wanted",
			meanwhile: func(t *testing.T, c *cluster, deployment *appsv1.Deployment) {
				deployment.Spec.MinReadySeconds++
				if err := c.client.Update(t.Context(), deployment); err != nil {
					t.Fatal(err)
				}
			},
			conflict: true,
		},
		"Label": {
			reason: "a person who takes our label off has a reason, which the next look is to find",
			meanwhile: func(t *testing.T, c *cluster, deployment *appsv1.Deployment) {
				delete(deployment.Labels, "app.kubernetes.io/managed-by")
				if err := c.client.Update(t.Context(), deployment); err != nil {
					t.Fatal(err)
				}
			},
			conflict: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			gateway := c.gateway("web")
			if err := (&provision.Applier{Client: c.client}).Apply(t.Context(), gateway, render(t, input(gateway))); err != nil {
				t.Fatal(err)
			}
			newer := input(gateway)
			newer.Image = "rauta.dev/rauta-proxy:newer"
			written := 0
			racing := &provision.Applier{Client: interceptor.NewClient(c.client.(client.WithWatch), interceptor.Funcs{
				Apply: func(ctx context.Context, next client.WithWatch, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
					deployment := &appsv1.Deployment{}
					c.mustGet("web-rauta", deployment)
					if sent, is := object.(interface{ GetKind() string }); is && sent.GetKind() == "Deployment" && written < 2 {
						written++
						tc.meanwhile(t, c, deployment)
					}
					return next.Apply(ctx, object, options...)
				},
			})}
			err := racing.Apply(t.Context(), gateway, render(t, newer))
			if apierrors.IsConflict(err) != tc.conflict || err != nil && !tc.conflict {
				t.Errorf("%s: got %v, want a conflict: %v", tc.reason, err, tc.conflict)
			}
			deployment := &appsv1.Deployment{}
			c.mustGet("web-rauta", deployment)
			if applied := deployment.Spec.Template.Spec.Containers[0].Image == newer.Image; applied == tc.conflict {
				t.Errorf("%s: the newer image was applied: %v", tc.reason, applied)
			}
		})
	}
}
