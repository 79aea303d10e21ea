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
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// files returns the bundle's files: path below the bundle's folder -> content.
func (b *bundle) files(channel string) (map[string][]byte, error) {
	name, _, _ := strings.Cut(b.csv.GetName(), ".v")
	objects := map[string]*unstructured.Unstructured{
		"manifests/" + name + ".clusterserviceversion.yaml": b.csv,
	}
	for _, crd := range b.crds {
		plural, group, _ := strings.Cut(crd.GetName(), ".")
		objects["manifests/"+group+"_"+plural+".yaml"] = crd
	}
	for _, object := range b.others {
		version := strings.ReplaceAll(object.GetAPIVersion(), "/", "_")
		// OLM chooses the namespace.
		object.SetNamespace("")
		objects["manifests/"+object.GetName()+"_"+version+"_"+strings.ToLower(object.GetKind())+".yaml"] = object
	}
	if b.scorecard != nil {
		objects["tests/scorecard/config.yaml"] = b.scorecard
	}
	files := map[string][]byte{}
	for path, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", path, err)
		}
		files[path] = text
	}
	labels := b.labels(name, channel)
	var annotations, dockerfile strings.Builder
	annotations.WriteString("annotations:\n")
	dockerfile.WriteString("FROM scratch\n\n")
	for _, label := range labels {
		fmt.Fprintf(&annotations, "  %s: %s\n", label[0], label[1])
		fmt.Fprintf(&dockerfile, "LABEL %s=%s\n", label[0], label[1])
	}
	dockerfile.WriteString("\nCOPY manifests /manifests/\nCOPY metadata /metadata/\n")
	if b.scorecard != nil {
		dockerfile.WriteString("COPY tests/scorecard /tests/scorecard/\n")
	}
	files["metadata/annotations.yaml"] = []byte(annotations.String())
	files["bundle.Dockerfile"] = []byte(dockerfile.String())
	return files, nil
}

// labels are what OLM reads of a bundle's image and of its metadata, in their usual order.
func (b *bundle) labels(name, channel string) [][2]string {
	labels := [][2]string{
		{"operators.operatorframework.io.bundle.mediatype.v1", "registry+v1"},
		{"operators.operatorframework.io.bundle.manifests.v1", "manifests/"},
		{"operators.operatorframework.io.bundle.metadata.v1", "metadata/"},
		{"operators.operatorframework.io.bundle.package.v1", name},
		{"operators.operatorframework.io.bundle.channels.v1", channel},
		{"operators.operatorframework.io.bundle.channel.default.v1", channel},
	}
	if b.scorecard != nil {
		labels = append(labels,
			[2]string{"operators.operatorframework.io.test.mediatype.v1", "scorecard+v1"},
			[2]string{"operators.operatorframework.io.test.config.v1", "tests/scorecard/"})
	}
	return labels
}
