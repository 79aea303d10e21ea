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
	"path/filepath"

	"golang.org/x/sys/unix"
)

// prepareMounts gives this process's mount namespace its own /proc, /run and /var, so that no component leaves a file
// outside the state directory: containerd's shims keep sockets in /run/containerd, libcni a cache in /var/lib/cni, and
// kubelet links in /var/log/containers, and none of these paths can be configured.
func prepareMounts(p place) error {
	// Nothing may reach the machine's own mount namespace; within ours, volumes need shared propagation.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("making the mounts shared among themselves: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc of the new PID namespace: %w", err)
	}
	if err := coverSysctls(p); err != nil {
		return err
	}
	if err := coverNameServers(p); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return fmt.Errorf("mounting a /run of our own: %w", err)
	}
	return coverVar(p)
}

// coverNameServers names a name server that refuses at once: the machine's are out of reach, and containerd would wait
// half a minute for them before it says that an image cannot be pulled. Where /etc/resolv.conf is a link, to below
// /run mostly, it is left without a target, which means the same.
func coverNameServers(p place) error {
	info, err := os.Lstat("/etc/resolv.conf")
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	file := p.path("etc", "resolv.conf")
	if err := writeFile(file, "nameserver 127.0.0.1\n", 0o644); err != nil {
		return err
	}
	if err := unix.Mount(file, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("covering /etc/resolv.conf: %w", err)
	}
	return nil
}

// coverVar mounts <state>/var over /var, with the state directory at its usual path below it.
func coverVar(p place) error {
	cover := p.path("var")
	inside := filepath.Join(cover, "lib", p.name)
	for _, dir := range []string{inside, filepath.Join(cover, "log"), filepath.Join(cover, "tmp")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("preparing /var: %w", err)
		}
	}
	if err := os.Symlink("/run", filepath.Join(cover, "run")); err != nil && !os.IsExist(err) {
		return fmt.Errorf("preparing /var: %w", err)
	}
	if err := unix.Mount(p.state(), inside, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting %s inside the new /var: %w", p.state(), err)
	}
	if err := unix.Mount(cover, "/var", "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mounting a /var of our own: %w", err)
	}
	return nil
}

// coverSysctls shows kubelet the values that it wants to see. It would otherwise set them, and they belong to the whole
// machine, not to a namespace: a developer's machine shall not start to reboot on a kernel oops.
func coverSysctls(p place) error {
	wanted := map[string]string{
		"vm/overcommit_memory":      "1",
		"vm/panic_on_oom":           "0",
		"kernel/panic":              "10",
		"kernel/panic_on_oops":      "1",
		"kernel/keys/root_maxkeys":  "1000000",
		"kernel/keys/root_maxbytes": "25000000",
	}
	for _, name := range sortedKeys(wanted) {
		file := p.path("sysctl", name)
		if err := writeFile(file, wanted[name]+"\n", 0o644); err != nil {
			return err
		}
		if err := unix.Mount(file, filepath.Join("/proc/sys", name), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("covering the sysctl %s: %w", name, err)
		}
	}
	return nil
}

// writeFile writes a file and the directories above it.
func writeFile(name, content string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
