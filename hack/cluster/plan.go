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
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// plan is what "up" hands to the supervisor, which runs where neither Go's module cache nor the network is at hand.
type plan struct {
	Binaries binaries `json:"binaries"`
	Images   []string `json:"images"` // archives to import before the first pod
}

func (p place) planFile() string { return p.path("plan.json") }

// makePlan builds what is missing in the cache.
func makePlan() (plan, error) {
	found, err := buildAll(os.Stdout)
	if err != nil {
		return plan{}, err
	}
	images, err := baseImages(found)
	if err != nil {
		return plan{}, err
	}
	for _, name := range sortedKeys(found) {
		// /run and /var are covered in the cluster's mount namespace.
		if path := found[name]; strings.HasPrefix(path, "/run/") || strings.HasPrefix(path, "/var/") {
			return plan{}, fmt.Errorf("the cache folder holds %s, which the cluster cannot see below /run or /var: "+
				"set XDG_CACHE_HOME to another folder", path)
		}
	}
	return plan{found, images}, nil
}

func (p place) writePlan(plan plan) error {
	data, err := json.Marshal(plan)
	if err != nil {
		return fmt.Errorf("encoding the plan: %w", err)
	}
	return writeFile(p.planFile(), string(data), 0o644)
}

func (p place) readPlan() (plan, error) {
	data, err := os.ReadFile(p.planFile())
	if err != nil {
		return plan{}, fmt.Errorf("reading the cluster's plan: %w", err)
	}
	var out plan
	if err := json.Unmarshal(data, &out); err != nil {
		return plan{}, fmt.Errorf("reading the cluster's plan %s: %w", p.planFile(), err)
	}
	return out, nil
}
