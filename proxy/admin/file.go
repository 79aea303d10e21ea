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

package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// Resources are a table that was read from a file.
type Resources []*adminv1.Resource

// ReadResources reads a file with a Resources message as YAML in protobuf's JSON mapping. Fields that are not known are
// errors; an error names the file, and the resource and field where it can.
func ReadResources(file string) (Resources, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read resources: %w", err)
	}
	defer func() { _ = opened.Close() }()
	resources, err := parseResources(opened)
	if err != nil {
		return nil, fmt.Errorf("resources %s: %w", file, err)
	}
	return resources, nil
}

// resourcesFile is the message with its resources still in YAML, so that each can be read and named by itself.
type resourcesFile struct {
	Resources []yaml.Node `yaml:"resources"`
}

func parseResources(from io.Reader) (Resources, error) {
	decoder := yaml.NewDecoder(from)
	decoder.KnownFields(true)
	var file resourcesFile
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var encoded bytes.Buffer
	for i := range file.Resources {
		resource, err := parseResource(&file.Resources[i])
		if err == nil {
			_, err = protodelim.MarshalTo(&encoded, resource)
		}
		if err != nil {
			return nil, fmt.Errorf("resources[%d] (line %d): %w", i, file.Resources[i].Line, err)
		}
	}
	return decodeResources(&encoded)
}

// decodeResources makes resources that share no memory with the YAML that they were read from. They are held for long, and
// would lie scattered over all the memory that reading it took, of which little could be given back then.
func decodeResources(encoded *bytes.Buffer) (Resources, error) {
	runtime.GC()
	resources := Resources{}
	limits := protodelim.UnmarshalOptions{MaxSize: -1} // They were encoded by us.
	for encoded.Len() > 0 {
		resource := &adminv1.Resource{}
		if err := limits.UnmarshalFrom(encoded, resource); err != nil {
			return nil, fmt.Errorf("resources[%d]: %w", len(resources), err)
		}
		resources = append(resources, resource)
	}
	return resources, nil
}

func parseResource(node *yaml.Node) (*adminv1.Resource, error) {
	var plain any
	if err := node.Decode(&plain); err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	resource := &adminv1.Resource{}
	if err := protojson.Unmarshal(encoded, resource); err != nil {
		return nil, errors.New(plainError(err))
	}
	return resource, nil
}

// plainError drops from an error of protojson the position, which is one of the JSON that the YAML was made into, and
// its deliberately unstable spacing.
func plainError(err error) string {
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	text = strings.TrimPrefix(text, "proto: ")
	if position, rest, found := strings.Cut(text, "): "); found && strings.HasPrefix(position, "(line ") {
		return rest
	}
	return text
}
