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
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

// refusals are what either end of the admin channel says of a certificate that came too late, ends what a program says last
// that went wrong itself.
var (
	refusals = []string{"certificate has expired", "expired certificate", "bad certificate", "unknown certificate", "unknown authority"}
	ends     = []string{"panic: ", "fatal error: ", "unexpected fault address"}
)

// containers are those whose logs are read.
var containers = []string{"manager", "proxy"}

// logs are all that operators and proxies have written, also those that have ended: the files that the kubelet keeps are read as they
// grow, since it removes those of a container with its pod, and says itself only what the last two of a container have written.
type logs struct {
	folder string

	mu    sync.Mutex
	old   map[string]bool // folders of pods that were there before
	files map[fileID]*logFile
	wrong []string
}

// fileID is a file whatever its name is by now.
type fileID struct{ device, inode uint64 }

// logFile is one of them, of which some has been read.
type logFile struct {
	file *os.File
	text *bufio.Reader
	pod  string // its folder
	rest []byte // of a line whose end has not been written
}

// newLogs reads what is written from now on, and all that the given pods have written.
func newLogs(folder string, pods []corev1.Pod) (*logs, error) {
	l := &logs{folder: folder, old: map[string]bool{}, files: map[fileID]*logFile{}}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("find the logs of pods: %w", err)
	}
	for _, entry := range entries {
		l.old[entry.Name()] = !slices.ContainsFunc(pods, func(pod corev1.Pod) bool { return entry.Name() == logFolder(&pod) })
	}
	return l, nil
}

// logFolder is what the kubelet calls the folder of a pod's logs.
func logFolder(pod *corev1.Pod) string {
	return pod.Namespace + "_" + pod.Name + "_" + string(pod.UID)
}

// follow reads on until it is ended.
func (l *logs) follow(ctx context.Context) {
	for wait(ctx, interval) {
		if err := l.read(); err != nil {
			l.mu.Lock()
			l.wrong = append(l.wrong, err.Error())
			l.mu.Unlock()
			return
		}
	}
}

// read takes what has been written since, of files that are new as well.
func (l *logs) read() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, container := range containers {
		names, err := filepath.Glob(filepath.Join(l.folder, "*", container, "*.log"))
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := l.open(name); err != nil {
				return err
			}
		}
	}
	for id, file := range l.files {
		gone, err := l.next(file)
		if err != nil {
			return fmt.Errorf("read a log of %s: %w", file.pod, err)
		}
		if gone {
			delete(l.files, id)
			_ = file.file.Close() // It was only read.
		}
	}
	return nil
}

// open begins a file, unless it has begun.
func (l *logs) open(name string) error {
	pod := filepath.Base(filepath.Dir(filepath.Dir(name)))
	if l.old[pod] {
		return nil
	}
	file, err := os.Open(name) //nolint:gosec // of a pod of the cluster
	if errors.Is(err, os.ErrNotExist) {
		return nil // It was removed since it was listed.
	}
	if err != nil {
		return err
	}
	id, _, err := identify(file)
	if err != nil || l.files[id] != nil {
		return errors.Join(err, file.Close())
	}
	l.files[id] = &logFile{file: file, text: bufio.NewReader(file), pod: pod}
	return nil
}

func identify(file *os.File) (id fileID, removed bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return fileID{}, false, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, false, errors.ErrUnsupported
	}
	return fileID{stat.Dev, stat.Ino}, stat.Nlink == 0, nil
}

// next looks at the lines that a file has more, and says whether there will be no others.
func (l *logs) next(f *logFile) (gone bool, err error) {
	// Asked first: what is written until then is read.
	_, removed, err := identify(f.file)
	if err != nil {
		return false, err
	}
	for {
		line, err := f.text.ReadBytes('\n')
		f.rest = append(f.rest, line...)
		if errors.Is(err, io.EOF) {
			return removed, nil
		}
		if err != nil {
			return false, err
		}
		if words := wrongIn(f.rest); words != "" {
			l.wrong = append(l.wrong, f.pod+" says: "+words)
		}
		f.rest = f.rest[:0]
	}
}

// knows tells whether something of a pod is read.
func (l *logs) knows(pod *corev1.Pod) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, file := range l.files {
		if file.pod == logFolder(pod) {
			return true
		}
	}
	return false
}

// first is what was first said that nobody should have to say.
func (l *logs) first() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wrong) == 0 {
		return ""
	}
	return l.wrong[0]
}

// wrongIn is the line, when it tells of a certificate that was refused, or of a program that ended by its own fault.
func wrongIn(line []byte) string {
	for _, words := range slices.Concat(refusals, ends) {
		if bytes.Contains(line, []byte(words)) {
			return strings.TrimSpace(string(line))
		}
	}
	return ""
}

// listen begins to read the logs of what is made from now on, and of the operators that run.
func (w *world) listen(ctx context.Context) error {
	pid, err := w.component("kubelet")
	if err != nil {
		return err
	}
	pods, err := w.live(ctx, operatorNamespace, operatorLabels)
	if err != nil {
		return err
	}
	w.logs, err = newLogs(fmt.Sprintf("/proc/%d/root/var/log/pods", pid), pods)
	if err == nil {
		go w.logs.follow(ctx)
	}
	return err
}

// calm holds when no operator and no proxy, whether it still runs or not, had to refuse the other for its certificate or ended by its own fault.
func (w *world) calm(ctx context.Context) error {
	err := w.until(ctx, "all logs are read", func(ctx context.Context) error {
		pods, err := w.live(ctx, operatorNamespace, operatorLabels)
		if err != nil {
			return err
		}
		for _, g := range w.gateways {
			own, err := w.live(ctx, g.tenant.namespace, g.labels())
			if err != nil {
				return err
			}
			pods = append(pods, own...)
		}
		if err := w.logs.read(); err != nil {
			return err
		}
		for i := range pods {
			if !w.logs.knows(&pods[i]) {
				return fmt.Errorf("there is no log of %s/%s", pods[i].Namespace, pods[i].Name)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if wrong := w.logs.first(); wrong != "" {
		return errors.New(wrong)
	}
	return nil
}
