//go:build linux

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
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tool is a program that is needed, with the Debian package that has it.
type tool struct {
	program string
	debian  string
}

var tools = []tool{{"taskset", "util-linux"}, {"nginx", "nginx"}, {"haproxy", "haproxy"}, {"wrk", "wrk"}, {"h2load", "nghttp2-client"}, {nginxStreamModule, "libnginx-mod-stream"}}

// nginxStreamModule is what lets nginx relay what is not HTTP.
const nginxStreamModule = "/usr/lib/nginx/modules/ngx_stream_module.so"

// policyFile, when it exists and exits with 101, keeps Debian packages from starting services as they are installed.
const policyFile = "/usr/sbin/policy-rc.d"

// needTools finds the programs. Those that are missing are installed when this is Debian and we are root, and named in
// the error elsewhere.
func needTools(ctx context.Context, progress func(format string, args ...any)) error {
	// Debian has servers where a user's PATH often does not look.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
		return err
	}
	missing := missingTools()
	if len(missing) == 0 {
		return nil
	}
	_, notDebian := os.Stat("/etc/debian_version")
	if notDebian != nil || os.Geteuid() != 0 {
		return fmt.Errorf("not found: %s (Debian and Ubuntu: sudo apt-get install %s)", names(missing, false), names(missing, true))
	}
	progress("installing %s", names(missing, true))
	if err := install(ctx, missing); err != nil {
		return err
	}
	if missing = missingTools(); len(missing) > 0 {
		return fmt.Errorf("still not found after installing %s: %s", names(missing, true), names(missing, false))
	}
	return nil
}

func missingTools() []tool {
	var missing []tool
	for _, t := range tools {
		look := exec.LookPath
		if filepath.IsAbs(t.program) { // A file that is loaded, not started.
			look = func(file string) (string, error) { _, err := os.Stat(file); return file, err }
		}
		if _, err := look(t.program); err != nil {
			missing = append(missing, t)
		}
	}
	return missing
}

func names(of []tool, packages bool) string {
	all := make([]string, 0, len(of))
	for _, t := range of {
		name := t.program
		if packages {
			name = t.debian
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

// install runs apt-get with services kept from starting.
func install(ctx context.Context, missing []tool) (err error) {
	policy, err := os.OpenFile(policyFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755) //nolint:gosec // a program, run by root
	switch {
	case errors.Is(err, fs.ErrExist): // The machine has a policy of its own.
	case err != nil:
		return err
	default:
		defer func() { err = errors.Join(err, os.Remove(policyFile)) }()
		_, err = policy.WriteString("#!/bin/sh\nexit 101\n")
		if err := errors.Join(err, policy.Close()); err != nil {
			return err
		}
	}
	install := append([]string{"install", "-y", "-q", "--no-install-recommends"}, strings.Fields(names(missing, true))...)
	for _, args := range [][]string{{"update", "-q"}, install} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}
