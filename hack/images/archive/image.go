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

package archive

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// File is one regular file of an image.
type File struct {
	// Path is where the file is in the image, absolute and clean: "/operator".
	Path string
	// Source is the path of the file on this machine whose content it gets.
	Source string
	// Mode is the permission bits, 0o755 for a program.
	Mode int64
}

// Image describes an image to write.
type Image struct {
	// Tags are the names that the image is loaded under, each as registry/repository:tag. At least one.
	Tags []string
	// Architecture is a GOARCH value: "amd64", "arm64".
	Architecture string
	// Files is the content of the only layer.
	Files []File
	// Entrypoint is the command of the image.
	Entrypoint []string
	// User is the numeric "uid:gid" that the entrypoint runs as; empty means root.
	User string
	// Labels become the image's labels (org.opencontainers.image.*).
	Labels map[string]string
}

// config is the OCI image configuration, the members that we set
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md).
type config struct {
	Created      string    `json:"created"`
	Architecture string    `json:"architecture"`
	OS           string    `json:"os"`
	Config       runConfig `json:"config"`
	RootFS       rootFS    `json:"rootfs"`
	History      []history `json:"history"`
}

type runConfig struct {
	User       string            `json:"User,omitempty"`
	Entrypoint []string          `json:"Entrypoint"`
	Env        []string          `json:"Env"`
	WorkingDir string            `json:"WorkingDir"`
	Labels     map[string]string `json:"Labels,omitempty"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type history struct {
	Created   string `json:"created"`
	CreatedBy string `json:"created_by"`
}

const epoch = "1970-01-01T00:00:00Z"

// check refuses what would give an archive that some reader cannot load.
func (i Image) check() error {
	if len(i.Tags) == 0 {
		return fmt.Errorf("image has no tag")
	}
	for _, t := range i.Tags {
		if repo, tag, ok := cutTag(t); !ok || repo == "" || tag == "" {
			return fmt.Errorf("tag %q: want registry/repository:tag", t)
		}
	}
	if i.Architecture == "" {
		return fmt.Errorf("image %s has no architecture", i.Tags[0])
	}
	for _, f := range i.Files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" {
			return fmt.Errorf("image %s: file path %q is not absolute and clean", i.Tags[0], f.Path)
		}
	}
	return nil
}

// Write writes the image's archive to w. It returns the digest of the image's manifest, as "sha256:<hex>".
func Write(w io.Writer, image Image) (string, error) {
	if err := image.check(); err != nil {
		return "", err
	}
	layer, err := os.CreateTemp("", "image-layer-*")
	if err != nil {
		return "", fmt.Errorf("creating a temporary layer: %w", err)
	}
	defer func() { _ = layer.Close(); _ = os.Remove(layer.Name()) }()

	layerBlob, err := writeLayer(layer, image.Files)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", image.Tags[0], err)
	}
	configJSON, err := json.Marshal(image.config(layerBlob.Digest))
	if err != nil {
		return "", fmt.Errorf("image %s: encoding the configuration: %w", image.Tags[0], err)
	}
	return writeArchive(w, image, configJSON, layer, layerBlob)
}

// WriteFile writes the image's archive to name, through a temporary file and a rename, so that a reader never sees half of it.
func WriteFile(name string, image Image) (string, error) {
	out, err := os.CreateTemp(path.Dir(name), ".image-*")
	if err != nil {
		return "", fmt.Errorf("creating a temporary file for %s: %w", name, err)
	}
	defer func() { _ = out.Close(); _ = os.Remove(out.Name()) }()
	digest, err := Write(out, image)
	if err != nil {
		return "", err
	}
	if err := out.Chmod(0o644); err != nil {
		return "", fmt.Errorf("writing %s: %w", name, err)
	}
	if err := out.Close(); err != nil {
		return "", fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(out.Name(), name); err != nil {
		return "", fmt.Errorf("writing %s: %w", name, err)
	}
	return digest, nil
}

func (i Image) config(diffID string) config {
	return config{
		Created: epoch, Architecture: i.Architecture, OS: "linux",
		Config: runConfig{
			User: i.User, Entrypoint: i.Entrypoint, WorkingDir: "/", Labels: i.Labels,
			Env: []string{"PATH=/"},
		},
		RootFS:  rootFS{Type: "layers", DiffIDs: []string{diffID}},
		History: []history{{Created: epoch, CreatedBy: "COPY " + strings.Join(i.paths(), " ")}},
	}
}

// paths returns the sorted paths of the image's files.
func (i Image) paths() []string {
	out := make([]string, 0, len(i.Files))
	for _, f := range i.Files {
		out = append(out, f.Path)
	}
	slices.Sort(out)
	return out
}

// cutTag splits "registry:5000/repository:tag" at the colon of the tag.
func cutTag(name string) (repo, tag string, ok bool) {
	at := strings.LastIndex(name, ":")
	if at < 0 || strings.Contains(name[at:], "/") {
		return name, "", false
	}
	return name[:at], name[at+1:], true
}
