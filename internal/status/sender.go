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

package status

import (
	"context"
	"fmt"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Sender sends an object's status to the API server. A client's Status() is one.
type Sender interface {
	Update(ctx context.Context, object client.Object, options ...client.SubResourceUpdateOption) error
}

// metadataOnly asks for no more than an object's metadata in the answer.
const metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

// sender is a Sender that does not read what the API server answers where it took the status: the object comes by the watch, at the same
// moment, and is read there. A client would read it twice.
type sender struct {
	client     rest.Interface
	scheme     *runtime.Scheme
	mapper     apimeta.RESTMapper
	parameters runtime.ParameterCodec
}

// NewSender gives a Sender for the kinds of the Gateway API, all of which have the same version. It makes connections of its own, in which the
// config's wrapping is. Objects that it sends it leaves as they are.
func NewSender(config *rest.Config, scheme *runtime.Scheme, mapper apimeta.RESTMapper) (Sender, error) {
	connections, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("prepare connections: %w", err)
	}
	version := schema.GroupVersion{Group: gatewayv1.GroupName, Version: gatewayv1.GroupVersion.Version}
	c, err := apiutil.RESTClientForGVK(version.WithKind("HTTPRoute"), false, false, config, serializer.NewCodecFactory(scheme), connections)
	if err != nil {
		return nil, fmt.Errorf("create client of %s: %w", version, err)
	}
	return &sender{client: c, scheme: scheme, mapper: mapper, parameters: runtime.NewParameterCodec(scheme)}, nil
}

// Update replaces the status of the object with that of the one given.
func (s *sender) Update(ctx context.Context, object client.Object, options ...client.SubResourceUpdateOption) error {
	kind, err := apiutil.GVKForObject(object, s.scheme)
	if err != nil {
		return err
	}
	mapping, err := s.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	asked := (&client.SubResourceUpdateOptions{}).ApplyOptions(options)
	return s.client.Put().
		NamespaceIfScoped(object.GetNamespace(), object.GetNamespace() != "").
		Resource(mapping.Resource.Resource).Name(object.GetName()).SubResource("status").
		VersionedParams(asked.AsUpdateOptions(), s.parameters).
		SetHeader("Accept", metadataOnly).
		Body(object).
		Do(ctx).Error()
}
