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
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// Media types of https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md
const (
	mediaIndex    = "application/vnd.oci.image.index.v1+json"
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar"
)

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

// dockerEntry is one element of manifest.json, which "docker load" reads.
type dockerEntry struct {
	Config   string   `json:"Config"`
	RepoTags []string `json:"RepoTags"`
	Layers   []string `json:"Layers"`
}

// writeArchive lays the blobs out as an OCI image layout with Docker's manifest.json beside it, and tars that.
func writeArchive(w io.Writer, image Image, configJSON []byte, layer *os.File, layerBlob blob) (string, error) {
	configBlob := blobOf(configJSON)
	manifestJSON, err := json.Marshal(manifest{
		SchemaVersion: 2, MediaType: mediaManifest,
		Config: descriptor{MediaType: mediaConfig, Digest: configBlob.Digest, Size: configBlob.Size},
		Layers: []descriptor{{MediaType: mediaLayer, Digest: layerBlob.Digest, Size: layerBlob.Size}},
	})
	if err != nil {
		return "", fmt.Errorf("image %s: encoding the manifest: %w", image.Tags[0], err)
	}
	manifestBlob := blobOf(manifestJSON)
	indexJSON, err := json.Marshal(image.index(manifestBlob))
	if err != nil {
		return "", fmt.Errorf("image %s: encoding the index: %w", image.Tags[0], err)
	}
	dockerJSON, err := json.Marshal([]dockerEntry{{
		Config: blobPath(configBlob), RepoTags: image.Tags, Layers: []string{blobPath(layerBlob)},
	}})
	if err != nil {
		return "", fmt.Errorf("image %s: encoding manifest.json: %w", image.Tags[0], err)
	}

	tw := tar.NewWriter(w)
	small := []struct {
		name string
		data []byte
	}{
		{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{"index.json", indexJSON},
		{"manifest.json", dockerJSON},
		{blobPath(manifestBlob), manifestJSON},
		{blobPath(configBlob), configJSON},
	}
	for _, e := range small {
		if err := writeEntry(tw, e.name, int64(len(e.data)), strings.NewReader(string(e.data))); err != nil {
			return "", err
		}
	}
	if _, err := layer.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("image %s: reading its layer: %w", image.Tags[0], err)
	}
	if err := writeEntry(tw, blobPath(layerBlob), layerBlob.Size, layer); err != nil {
		return "", err
	}
	if err := tw.Close(); err != nil {
		return "", fmt.Errorf("image %s: closing the archive: %w", image.Tags[0], err)
	}
	return manifestBlob.Digest, nil
}

// index names the manifest once per tag: "ctr images import" reads containerd's annotation, skopeo the OCI one.
func (i Image) index(manifestBlob blob) index {
	out := index{SchemaVersion: 2, MediaType: mediaIndex}
	for _, name := range i.Tags {
		_, tag, _ := cutTag(name)
		out.Manifests = append(out.Manifests, descriptor{
			MediaType: mediaManifest, Digest: manifestBlob.Digest, Size: manifestBlob.Size,
			Annotations: map[string]string{
				"io.containerd.image.name":          name,
				"org.opencontainers.image.ref.name": tag,
			},
			Platform: &platform{Architecture: i.Architecture, OS: "linux"},
		})
	}
	return out
}

func blobPath(b blob) string {
	return "blobs/sha256/" + strings.TrimPrefix(b.Digest, "sha256:")
}

func writeEntry(tw *tar.Writer, name string, size int64, content io.Reader) error {
	if err := tw.WriteHeader(header(name, tar.TypeReg, 0o644, size)); err != nil {
		return fmt.Errorf("writing archive entry %s: %w", name, err)
	}
	if _, err := io.Copy(tw, content); err != nil {
		return fmt.Errorf("writing archive entry %s: %w", name, err)
	}
	return nil
}
