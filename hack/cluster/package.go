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
	"os"
	"os/exec"
	"strings"
)

// systemPackage is something that the distribution has to provide.
type systemPackage struct {
	name    string // of the Debian package
	purpose string
	present func() bool
}

func buildPackages() []systemPackage {
	return []systemPackage{
		{"gcc", "the C compiler, for runc", commandPresent("gcc")},
		{"libc6-dev", "the C library's headers, for runc", filePresent("/usr/include/stdlib.h")},
		{"pkg-config", "finds libseccomp, for runc", commandPresent("pkg-config")},
		{"libseccomp-dev", "runc's system call filter", libraryPresent("libseccomp")},
	}
}

func runPackages() []systemPackage {
	return []systemPackage{
		{"iproute2", "the ip command, sets up the cluster's network", commandPresent("ip")},
		{"nftables", "the nft command, kube-proxy's data plane", commandPresent("nft")},
	}
}

func commandPresent(name string) func() bool {
	return func() bool { _, err := exec.LookPath(name); return err == nil }
}

func filePresent(name string) func() bool {
	return func() bool { _, err := os.Stat(name); return err == nil }
}

func libraryPresent(name string) func() bool {
	return func() bool { return exec.Command("pkg-config", "--exists", name).Run() == nil }
}

func missingOf(packages []systemPackage) []systemPackage {
	var missing []systemPackage
	for _, p := range packages {
		if !p.present() {
			missing = append(missing, p)
		}
	}
	return missing
}

// needPackages installs what is missing where it can, as root on Debian and its kin, and names it elsewhere.
func needPackages(packages []systemPackage) error {
	missing := missingOf(packages)
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("missing on this machine:\n%sinstall them (Debian: apt-get install %s) and try again",
			describe(missing), strings.Join(names(missing), " "))
	}
	fmt.Printf("installing %s with apt-get...\n", strings.Join(names(missing), " "))
	if err := aptInstall(names(missing)); err != nil {
		return err
	}
	if left := missingOf(packages); len(left) > 0 {
		return fmt.Errorf("still missing after apt-get install:\n%s", describe(left))
	}
	return nil
}

// aptInstall tries with the package lists at hand first: refreshing them is slow, and mostly not needed.
func aptInstall(names []string) error {
	install := append([]string{"install", "-y", "--no-install-recommends"}, names...)
	if _, err := apt(install); err == nil {
		return nil
	}
	if output, err := apt([]string{"update"}); err != nil {
		return fmt.Errorf("running apt-get update: %w\n%s", err, lastLines(output, 10))
	}
	if output, err := apt(install); err != nil {
		return fmt.Errorf("running apt-get install %s: %w\n%s", strings.Join(names, " "), err, lastLines(output, 10))
	}
	return nil
}

func apt(args []string) (string, error) {
	cmd := exec.Command("apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func names(packages []systemPackage) []string {
	out := make([]string, 0, len(packages))
	for _, p := range packages {
		out = append(out, p.name)
	}
	return out
}

func describe(packages []systemPackage) string {
	var b strings.Builder
	for _, p := range packages {
		fmt.Fprintf(&b, "  %s: %s\n", p.name, p.purpose)
	}
	return b.String()
}
