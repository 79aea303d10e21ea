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
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"k8s.io/client-go/rest"
)

// statusWrites are how often statuses of a resource were written, as the API server counts them.
type statusWrites struct {
	// written ones, and those that were refused because somebody else wrote in between.
	written, conflicts float64
}

// statusWrites asks the API server. The status is written by the operator alone.
func (w *world) statusWrites(ctx context.Context, resource string) (statusWrites, error) {
	config := rest.CopyConfig(w.config)
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return statusWrites{}, err
	}
	text, err := get(ctx, httpClient, strings.TrimSuffix(config.Host, "/")+"/metrics")
	if err != nil {
		return statusWrites{}, err
	}
	of := func(code string) float64 {
		return sum(text, "apiserver_request_total", `resource="`+resource+`"`, `subresource="status"`, `code="`+code+`"`)
	}
	return statusWrites{written: of("200"), conflicts: of("409")}, nil
}

// operatorMetric asks the operator for the sum of one of its metrics.
func (w *world) operatorMetric(ctx context.Context, name string, labels ...string) (float64, error) {
	text, err := get(ctx, http.DefaultClient, "http://"+operatorMetrics+"/metrics")
	if err != nil {
		return 0, err
	}
	return sum(text, name, labels...), nil
}

func get(ctx context.Context, from *http.Client, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := from.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", url, response.StatusCode)
	}
	return text, err
}

// sum adds up the series of a metric in Prometheus' text format that have all the labels, each as name="value".
func sum(text []byte, name string, labels ...string) float64 {
	var total float64
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		rest, found := strings.CutPrefix(line, name)
		if !found || rest == "" || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		has := true
		for _, label := range labels {
			has = has && strings.Contains(rest, label)
		}
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if has && err == nil {
			total += value
		}
	}
	return total
}
