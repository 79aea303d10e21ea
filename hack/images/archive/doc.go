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

// Package archive writes a container image as one tar file that both readers of such files understand: "docker load"
// (manifest.json) and every reader of the OCI image layout (index.json), such as "ctr images import", "kind load
// image-archive", skopeo and crane.
//
// An image has one layer with a few files and no base. Equal input gives equal bytes: every timestamp is the Unix
// epoch, every entry is owned by root, names are sorted, and layers are stored uncompressed, so that no version of a
// compressor has a say in the digest.
package archive
