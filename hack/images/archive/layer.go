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
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// blob names some bytes by their digest, as the OCI descriptors do.
type blob struct {
	Digest string // "sha256:<hex>"
	Size   int64  // bytes
}

// hasher counts and hashes what is written through it.
type hasher struct {
	sum  hash.Hash
	size int64
}

func newHasher() *hasher { return &hasher{sum: sha256.New()} }

func (h *hasher) Write(p []byte) (int, error) {
	h.size += int64(len(p))
	return h.sum.Write(p)
}

func (h *hasher) blob() blob {
	return blob{Digest: fmt.Sprintf("sha256:%x", h.sum.Sum(nil)), Size: h.size}
}

func blobOf(data []byte) blob {
	h := newHasher()
	_, _ = h.Write(data) // a hash never fails
	return h.blob()
}

// writeLayer writes the files, and the directories above them, as a layer's tar.
func writeLayer(w io.Writer, files []File) (blob, error) {
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	sum := newHasher()
	tw := tar.NewWriter(io.MultiWriter(w, sum))
	for _, dir := range parents(sorted) {
		if err := tw.WriteHeader(header(dir+"/", tar.TypeDir, 0o755, 0)); err != nil {
			return blob{}, fmt.Errorf("writing layer entry %s: %w", dir, err)
		}
	}
	for _, f := range sorted {
		if err := writeFile(tw, f); err != nil {
			return blob{}, fmt.Errorf("writing layer entry %s from %s: %w", f.Path, f.Source, err)
		}
	}
	if err := tw.Close(); err != nil {
		return blob{}, fmt.Errorf("closing the layer: %w", err)
	}
	return sum.blob(), nil
}

func writeFile(tw *tar.Writer, f File) error {
	in, err := os.Open(f.Source)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(header(strings.TrimPrefix(f.Path, "/"), tar.TypeReg, f.Mode, info.Size())); err != nil {
		return err
	}
	_, err = io.Copy(tw, in)
	return err
}

// header gives a tar header that holds nothing of the machine or of the moment.
func header(name string, kind byte, mode, size int64) *tar.Header {
	return &tar.Header{Name: name, Typeflag: kind, Mode: mode, Size: size, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
}

// parents returns every directory above the files but the root, parents first, without a leading slash.
func parents(files []File) []string {
	var dirs []string
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "/"; dir = path.Dir(dir) {
			dirs = append(dirs, strings.TrimPrefix(dir, "/"))
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
