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
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func source(t *testing.T, content string, mode os.FileMode, modified time.Time) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, modified, modified); err != nil {
		t.Fatal(err)
	}
	return file
}

// read returns the entries of a tar, by name, and the names in their order.
func read(t *testing.T, data []byte) (map[string][]byte, map[string]*tar.Header, []string) {
	t.Helper()
	contents, headers := map[string][]byte{}, map[string]*tar.Header{}
	var order []string
	reader := tar.NewReader(bytes.NewReader(data))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return contents, headers, order
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		contents[header.Name], headers[header.Name] = body, header
		order = append(order, header.Name)
	}
}

func testImage(sources [2]string) Image {
	return Image{
		Tags: []string{"rauta.dev/tool:v1", "registry.example.com:5000/tool:v2"}, Architecture: "arm64",
		User: "65532:65532", Entrypoint: []string{"/bin/tool"}, Labels: map[string]string{"b": "2", "a": "1"},
		Files: []File{
			{Path: "/etc/deep/config", Source: sources[1], Mode: 0o644},
			{Path: "/bin/tool", Source: sources[0], Mode: 0o755},
		},
	}
}

func TestWriteIsReproducible(t *testing.T) {
	// What differs between two machines: times, permissions under another umask, places, and the order of a list.
	var archives [2][]byte
	for i, modified := range []time.Time{time.Unix(1, 0), time.Unix(1_700_000_000, 0)} {
		mode := []os.FileMode{0o755, 0o700}[i]
		image := testImage([2]string{source(t, "program", mode, modified), source(t, "settings", mode, modified)})
		if i == 1 {
			slices.Reverse(image.Files)
		}
		var out bytes.Buffer
		if _, err := Write(&out, image); err != nil {
			t.Fatal(err)
		}
		archives[i] = out.Bytes()
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of equal content differ")
	}
}

func TestWriteReadsAsBothFormats(t *testing.T) {
	image := testImage([2]string{source(t, "program", 0o755, time.Now()), source(t, "settings", 0o644, time.Now())})
	var out bytes.Buffer
	digest, err := Write(&out, image)
	if err != nil {
		t.Fatal(err)
	}
	contents, _, _ := read(t, out.Bytes())
	for name, data := range contents {
		if sum, ok := strings.CutPrefix(name, "blobs/sha256/"); ok && blobOf(data).Digest != "sha256:"+sum {
			t.Errorf("blob %s holds bytes of another digest", name)
		}
	}

	var docker []dockerEntry
	decode(t, contents["manifest.json"], &docker)
	if len(docker) != 1 || !slices.Equal(docker[0].RepoTags, image.Tags) {
		t.Fatalf("docker load would see %+v, want one image with tags %v", docker, image.Tags)
	}
	var top index
	decode(t, contents["index.json"], &top)
	if len(top.Manifests) != 2 || top.Manifests[0].Digest != digest || top.Manifests[1].Digest != digest {
		t.Fatalf("the OCI index names %+v, want the manifest %s once per tag", top.Manifests, digest)
	}
	if got := top.Manifests[1].Annotations["org.opencontainers.image.ref.name"]; got != "v2" {
		t.Errorf("second tag is %q, want v2: the colon of a registry's port is no tag's", got)
	}
	var one manifest
	decode(t, contents["blobs/sha256/"+strings.TrimPrefix(digest, "sha256:")], &one)
	if "blobs/sha256/"+strings.TrimPrefix(one.Config.Digest, "sha256:") != docker[0].Config {
		t.Errorf("the two formats name different configurations: %s and %s", one.Config.Digest, docker[0].Config)
	}

	var conf config
	decode(t, contents[docker[0].Config], &conf)
	if conf.Architecture != "arm64" || conf.OS != "linux" || conf.Config.User != "65532:65532" {
		t.Errorf("the image is for %s/%s and user %q", conf.OS, conf.Architecture, conf.Config.User)
	}
	layer := contents[docker[0].Layers[0]]
	if got := blobOf(layer).Digest; !slices.Equal(conf.RootFS.DiffIDs, []string{got}) {
		t.Errorf("the layer is %s, the configuration says %v", got, conf.RootFS.DiffIDs)
	}
	_, headers, order := read(t, layer)
	if want := []string{"bin/", "etc/", "etc/deep/", "bin/tool", "etc/deep/config"}; !slices.Equal(order, want) {
		t.Errorf("the layer holds %v, want %v: directories before what is in them", order, want)
	}
	for name, header := range headers {
		if header.Uid != 0 || header.Gid != 0 || header.Uname != "" || !header.ModTime.Equal(time.Unix(0, 0)) {
			t.Errorf("%s tells of the machine or the moment: %+v", name, header)
		}
	}
}

func decode(t *testing.T, data []byte, out any) {
	t.Helper()
	if err := json.Unmarshal(data, out); err != nil {
		t.Fatalf("decoding %q: %v", data, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*Image)
	}{
		"NoTag":         {"An image without a name cannot be used once loaded.", func(i *Image) { i.Tags = nil }},
		"TagOfPortOnly": {"The colon of a registry's port is no tag's.", func(i *Image) { i.Tags = []string{"registry:5000/tool"} }},
		"NoArch":        {"A runtime would refuse it on every machine.", func(i *Image) { i.Architecture = "" }},
		"RelativePath":  {"The place of a file must not depend on the reader.", func(i *Image) { i.Files[0].Path = "tool" }},
		"ClimbingPath":  {"A path must not leave the image.", func(i *Image) { i.Files[0].Path = "/../tool" }},
		"MissingSource": {"An image without its program is worse than none.", func(i *Image) { i.Files[0].Source += ".missing" }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			image := testImage([2]string{source(t, "program", 0o755, time.Now()), source(t, "settings", 0o644, time.Now())})
			tc.change(&image)
			target := filepath.Join(t.TempDir(), "image.tar")
			if _, err := WriteFile(target, image); err == nil {
				t.Errorf("%s\nit was written", tc.reason)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(target), "*")); len(left) > 0 {
				t.Errorf("a failed write left %v", left)
			}
		})
	}
}
