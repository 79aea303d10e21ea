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
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// refusals are what either end of the admin channel says of a certificate that came too late.
var refusals = []string{"certificate has expired", "expired certificate", "bad certificate", "unknown certificate", "unknown authority"}

// identitiesHeld holds when no operator and no proxy that runs had to refuse the other for its certificate.
func (w *world) identitiesHeld(ctx context.Context) error {
	var refused string
	err := w.until(ctx, "all logs are read", func(ctx context.Context) (err error) {
		refused, err = w.refusal(ctx)
		return err
	})
	if err == nil && refused != "" {
		return errors.New(refused)
	}
	return err
}

// refusal is what the first of them says who had to.
func (w *world) refusal(ctx context.Context) (string, error) {
	pods, err := w.live(ctx, operatorNamespace, operatorLabels)
	if err != nil {
		return "", err
	}
	for _, g := range w.gateways {
		own, err := w.live(ctx, g.tenant.namespace, g.labels())
		if err != nil {
			return "", err
		}
		pods = append(pods, own...)
	}
	for i := range pods {
		text, err := w.Clientset.CoreV1().Pods(pods[i].Namespace).GetLogs(pods[i].Name, &corev1.PodLogOptions{}).DoRaw(ctx)
		if err != nil {
			return "", fmt.Errorf("read the log of %s: %w", pods[i].Name, err)
		}
		if line := refusalIn(text); line != "" {
			return fmt.Sprintf("%s/%s says: %s", pods[i].Namespace, pods[i].Name, line), nil
		}
	}
	return "", nil
}

// refusalIn is the first line of a log that tells of a certificate that was refused.
func refusalIn(text []byte) string {
	for line := range bytes.Lines(text) {
		for _, words := range refusals {
			if strings.Contains(string(line), words) {
				return strings.TrimSpace(string(line))
			}
		}
	}
	return ""
}
