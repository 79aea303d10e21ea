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
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	calm    = `2026-01-01T00:00:00Z stderr F {"msg":"session opened"}` + "\n"
	refused = `2026-01-01T00:00:00Z stderr F {"msg":"session failed","error":"remote error: tls: expired certificate"}` + "\n"
	broken  = "2026-01-01T00:00:00Z stderr F panic: runtime error: index out of range\n"
)

func TestLogs(t *testing.T) {
	cases := map[string]struct {
		reason string
		write  func(t *testing.T, folder string, l *logs)
		want   string
	}{
		"Calm": {"what goes on as it should is no failure", func(t *testing.T, folder string, _ *logs) {
			grow(t, folder, "a_web_1/proxy/0.log", calm)
		}, ""},
		"Refused": {"a certificate that was refused came too late", func(t *testing.T, folder string, _ *logs) {
			grow(t, folder, "a_web_1/proxy/0.log", calm+refused+calm)
		}, "expired certificate"},
		"Panic": {"a program that ended by its own fault is no fault of ours", func(t *testing.T, folder string, _ *logs) {
			grow(t, folder, "s_op_1/manager/0.log", broken)
		}, "panic"},
		"InTwo": {"a line is looked at once it is whole", func(t *testing.T, folder string, l *logs) {
			half := strings.Index(refused, "expired") + 3
			grow(t, folder, "a_web_1/proxy/0.log", refused[:half])
			look(t, l)
			grow(t, folder, "a_web_1/proxy/0.log", refused[half:])
		}, "expired certificate"},
		"Restarted": {"the container before is looked at as well", func(t *testing.T, folder string, _ *logs) {
			grow(t, folder, "a_web_1/proxy/0.log", refused)
			grow(t, folder, "a_web_1/proxy/1.log", calm)
		}, "expired certificate"},
		"Removed": {"what was said last is read, though the file has gone with its pod", func(t *testing.T, folder string, l *logs) {
			grow(t, folder, "a_web_1/proxy/0.log", calm)
			look(t, l)
			grow(t, folder, "a_web_1/proxy/0.log", refused)
			if err := os.RemoveAll(filepath.Join(folder, "a_web_1")); err != nil {
				t.Fatal(err)
			}
		}, "expired certificate"},
		"Renamed": {"a file that the kubelet puts aside goes on to be read", func(t *testing.T, folder string, l *logs) {
			grow(t, folder, "a_web_1/proxy/0.log", calm)
			look(t, l)
			grow(t, folder, "a_web_1/proxy/0.log", refused)
			if err := os.Rename(filepath.Join(folder, "a_web_1/proxy/0.log"), filepath.Join(folder, "a_web_1/proxy/0.log.20260101")); err != nil {
				t.Fatal(err)
			}
		}, "expired certificate"},
		"Before": {"what an earlier run left behind is none of this one's", func(t *testing.T, folder string, _ *logs) {
			grow(t, folder, "a_old_1/proxy/0.log", refused)
		}, ""},
		"Other": {"other containers may say what they like", func(t *testing.T, folder string, _ *logs) {
			grow(t, folder, "a_steady_1/backend/0.log", broken)
		}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			grow(t, folder, "a_old_1/proxy/0.log", refused)
			grow(t, folder, "s_op_1/manager/0.log", calm)
			operator := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "s", Name: "op", UID: types.UID("1")}}
			l, err := newLogs(folder, []corev1.Pod{operator})
			if err != nil {
				t.Fatal(err)
			}
			tc.write(t, folder, l)
			look(t, l)
			if got := l.first(); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
			if !l.knows(&operator) {
				t.Error("the log of a pod that was there from the beginning is read")
			}
		})
	}
}

func look(t *testing.T, l *logs) {
	t.Helper()
	if err := l.read(); err != nil {
		t.Fatal(err)
	}
}

// grow appends to a file.
func grow(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}
