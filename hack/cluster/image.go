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
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/rauta-dev/rauta/hack/images/archive"
)

const corednsImage = "rauta.dev/local/coredns:" + corednsVersion

// baseImages builds the archives of the images that the node itself needs, and returns their paths.
func baseImages(found binaries) ([]string, error) {
	pause, err := buildPause()
	if err != nil {
		return nil, err
	}
	images := []struct{ tag, program string }{{pauseImage, pause}, {corednsImage, found["coredns"]}}
	var out []string
	for _, image := range images {
		file, err := keepImage(image.program, []string{image.tag}, "")
		if err != nil {
			return nil, err
		}
		out = append(out, file)
	}
	return out, nil
}

// keepImage returns the archive of an image that holds one program, from the cache where possible.
func keepImage(program string, tags []string, user string) (string, error) {
	root, err := cacheRoot()
	if err != nil {
		return "", err
	}
	name := filepath.Base(program)
	// The directory of a program in the cache names its version and all that shaped it.
	sum := sha256.Sum256([]byte(strings.Join(append([]string{program, user}, tags...), "\n")))
	file := filepath.Join(root, "images", name+"-"+hex.EncodeToString(sum[:])[:12]+".tar")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", fmt.Errorf("making the cache of images: %w", err)
	}
	_, err = archive.WriteFile(file, archive.Image{
		Tags: tags, Architecture: runtime.GOARCH, User: user, Entrypoint: []string{"/" + name},
		Files: []archive.File{{Path: "/" + name, Source: program, Mode: 0o755}},
	})
	if err != nil {
		return "", fmt.Errorf("building the image %s: %w", tags[0], err)
	}
	return file, nil
}

// buildPause builds the program that holds a pod's namespaces. It is part of this module.
func buildPause() (string, error) {
	root, err := cacheRoot()
	if err != nil {
		return "", err
	}
	goVersion, err := goOutput("env", "GOVERSION")
	if err != nil {
		return "", err
	}
	source := sourceRoot
	if source == "" {
		source = "."
	}
	code, err := os.ReadFile(filepath.Join(source, "pause", "main.go"))
	if err != nil {
		return "", fmt.Errorf("finding the pause program: %w", err)
	}
	sum := sha256.Sum256(append(code, goVersion...))
	file := filepath.Join(root, "bin", "pause-"+hex.EncodeToString(sum[:])[:12], "pause")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	temporary := fmt.Sprintf("%s.%d.tmp", file, os.Getpid())
	defer func() { _ = os.Remove(temporary) }()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", temporary, "./pause")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building pause: %w\n%s", err, lastLines(string(output), 20))
	}
	if err := os.Rename(temporary, file); err != nil {
		return "", fmt.Errorf("keeping pause: %w", err)
	}
	return file, nil
}

// importBaseImages imports the images of the plan.
func (s *supervisor) importBaseImages(ctx context.Context) error {
	return importImages(s.place, s.images, func(args ...string) *exec.Cmd {
		return s.command(ctx, "ctr", args...)
	})
}

func importImages(p place, files []string, ctr func(args ...string) *exec.Cmd) error {
	for _, file := range files {
		cmd := ctr("--address", p.containerd(), "--namespace", "k8s.io", "images", "import", file)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("importing %s: %w: %s", file, err, lastLines(strings.TrimSpace(string(out)), 5))
		}
	}
	return nil
}

// runLoad imports image archives of the caller's into the running node.
func runLoad(files []string) error {
	if len(files) == 0 {
		return fmt.Errorf("load: name the image archives to import")
	}
	p, built, err := runningCluster()
	if err != nil {
		return err
	}
	err = importImages(p, files, func(args ...string) *exec.Cmd {
		return exec.Command(built.Binaries["ctr"], args...)
	})
	if err != nil {
		return err
	}
	for _, file := range files {
		fmt.Println("loaded", file)
	}
	return nil
}

// imageLine matches the image of a container in a Kubernetes manifest.
var imageLine = regexp.MustCompile(`(?m)^\s*(?:- )?image:\s*"?([^\s"]+)"?\s*$`)

// conformanceTags reads which images the suite's manifests name. Its mesh profile, which brings other images, is about
// service meshes and left out.
func conformanceTags(suite string) ([]string, error) {
	var tags []string
	for _, pattern := range []string{"base/*.yaml", "tests/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(suite, pattern))
		if err != nil {
			return nil, fmt.Errorf("listing the suite's manifests: %w", err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("reading the suite's manifests: %w", err)
			}
			for _, match := range imageLine.FindAllStringSubmatch(string(data), -1) {
				tags = append(tags, match[1])
			}
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags), nil
}

// runConformanceImages builds the suite's images from the suite's own module, under the names that its manifests use.
func runConformanceImages(args []string) error {
	found := binaries{}
	for _, c := range []component{echo, coredns} {
		if err := c.build(os.Stderr, 0, found); err != nil {
			return err
		}
	}
	files, err := conformanceImages(found)
	if err != nil {
		return err
	}
	if slices.Contains(args, "-load") {
		return runLoad(files)
	}
	for _, file := range files {
		fmt.Println(file)
	}
	return nil
}

func conformanceImages(found binaries) ([]string, error) {
	mod, err := moduleDir(echo.name)
	if err != nil {
		return nil, err
	}
	suite, err := goOutput("-C", mod, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api/conformance")
	if err != nil {
		return nil, err
	}
	tags, err := conformanceTags(suite)
	if err != nil {
		return nil, err
	}
	byProgram := map[string][]string{}
	for _, tag := range tags {
		repository, _, _ := strings.Cut(tag, ":")
		name := filepath.Base(repository)
		if found[name] == "" {
			return nil, fmt.Errorf("the conformance suite %s wants the image %s, which this tool does not build", echoVersion, tag)
		}
		byProgram[name] = append(byProgram[name], tag)
	}
	var files []string
	for _, name := range sortedKeys(byProgram) {
		user := "65532:65532"
		if name == "coredns" {
			// The suite's manifest drops all capabilities but NET_BIND_SERVICE, which only root keeps.
			user = ""
		}
		file, err := keepImage(found[name], byProgram[name], user)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
