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

package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	official "sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/utils/kubernetes"
)

const (
	baseManifest = "base/manifests.yaml"
	// className replaces the suite's placeholder, as its applier does.
	className = "rauta"

	infraNamespace = "gateway-conformance-infra"
	webNamespace   = "gateway-conformance-web-backend"
	appNamespace   = "gateway-conformance-app-backend"
)

// foreign are the kinds of the suite's manifests that no topology depends on.
var foreign = []string{"Deployment", "GatewayClass"}

// manifests are the objects of the suite by the file that has them. What the suite makes beside its files, and what a cluster would
// make of its Services, is with those of the base.
func manifests(t *testing.T) map[string][]*unstructured.Unstructured {
	t.Helper()
	files := map[string][]*unstructured.Unstructured{}
	err := fs.WalkDir(official.Manifests, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		// Meshes are another profile: their routes' parents are Services.
		if strings.Contains(path, "mesh/") {
			return nil
		}
		text, err := fs.ReadFile(official.Manifests, path)
		if err != nil {
			return err
		}
		files[path], err = objectsOf(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files[baseManifest]) == 0 || len(files) < 100 {
		t.Fatalf("%d files with %d objects of the base are not the suite's", len(files), len(files[baseManifest]))
	}
	files[baseManifest] = append(files[baseManifest], programmatic(t)...)
	for path := range files {
		files[path] = append(files[path], endpointSlices(t, files[path])...)
	}
	return files
}

func objectsOf(text []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(object.Object) == 0 || slices.Contains(foreign, object.GetKind()) {
			continue
		}
		if object.GetKind() == "Gateway" {
			if err := unstructured.SetNestedField(object.Object, className, "spec", "gatewayClassName"); err != nil {
				return nil, err
			}
		}
		objects = append(objects, object)
	}
}

// programmatic are the objects that the suite's setup makes in Go: certificates and authorities.
func programmatic(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	var made []*unstructured.Unstructured
	add := func(kind string, object runtime.Object) {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{Object: content}
		u.SetKind(kind)
		made = append(made, u)
	}
	add("Secret", kubernetes.MustCreateSelfSignedCertSecret(t, webNamespace, "certificate", []string{"*"}))
	add("Secret", kubernetes.MustCreateSelfSignedCertSecret(t, infraNamespace, "tls-validity-checks-certificate", []string{"*", "*.org", "*.wildcard.org"}))
	for _, name := range []string{"tls-validity-checks-ca-certificate", "tls-validity-checks-per-port-ca-certificate", "mismatch-ca-certificate"} {
		authority, _, _ := kubernetes.MustCreateCACertConfigMap(t, infraNamespace, name)
		add("ConfigMap", authority)
	}
	web, _, _ := kubernetes.MustCreateCACertConfigMap(t, webNamespace, "web-backend-cm")
	add("ConfigMap", web)
	authority, certificate, key := kubernetes.MustCreateCACertConfigMap(t, infraNamespace, "tls-checks-ca-certificate")
	add("ConfigMap", authority)
	for namespace, name := range map[string]string{infraNamespace: "tls-checks-certificate", appNamespace: "tls-passthrough-checks-certificate"} {
		add("Secret", kubernetes.MustCreateCASignedCertSecret(t, namespace, name, []string{"abc.example.com"}, certificate, key))
	}
	add("Secret", kubernetes.MustCreateCASignedClientCertSecret(t, infraNamespace, "tls-checks-client-certificate", certificate, key))
	add("Secret", kubernetes.MustCreateCASignedCertSecret(t, infraNamespace, "tls-terminate-checks-certificate", []string{"tls.example.com"}, certificate, key))
	return made
}

// endpointSlices are what a cluster makes of the Services that select pods: here two slices for each.
func endpointSlices(t *testing.T, objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	t.Helper()
	var made []*unstructured.Unstructured
	for _, object := range objects {
		if object.GetKind() != "Service" {
			continue
		}
		service := &corev1.Service{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, service); err != nil {
			t.Fatal(err)
		}
		if len(service.Spec.Selector) == 0 {
			continue
		}
		for i := range 2 {
			slice := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4}
			slice.Namespace, slice.Name = service.Namespace, fmt.Sprintf("%s-%d", service.Name, i)
			slice.Labels = map[string]string{discoveryv1.LabelServiceName: service.Name}
			for _, port := range service.Spec.Ports {
				slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: new(port.Name), Port: new(int32(port.TargetPort.IntValue()))})
			}
			for j := range 3 {
				address := fmt.Sprintf("10.%d.%d.%d", len(service.Name), i, j)
				slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
					Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: new(j != 1), Serving: new(true), Terminating: new(j == 1)},
				})
			}
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(slice)
			if err != nil {
				t.Fatal(err)
			}
			u := &unstructured.Unstructured{Object: content}
			u.SetKind("EndpointSlice")
			made = append(made, u)
		}
	}
	return made
}
