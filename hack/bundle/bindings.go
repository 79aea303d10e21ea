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
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// bindings are RBAC objects and ServiceAccounts as they were rendered.
type bindings []*unstructured.Unstructured

// split turns the roles that are bound to one of the accounts into a ClusterServiceVersion's permissions and
// clusterPermissions (field -> list), and returns what is left: roles that an administrator binds, and the bindings of others.
func (objects bindings) split(accounts map[string]bool) (map[string][]any, []*unstructured.Unstructured) {
	rules := map[string][]any{} // field + "/" + account -> rules
	taken := map[*unstructured.Unstructured]bool{}
	for _, binding := range objects {
		account := boundAccount(binding, accounts)
		if account == "" {
			continue
		}
		kind, _, _ := unstructured.NestedString(binding.Object, "roleRef", "kind")
		name, _, _ := unstructured.NestedString(binding.Object, "roleRef", "name")
		role := objects.find(kind, name)
		if role == nil {
			continue // of the cluster's own roles: the binding stays as it is
		}
		field := "permissions"
		if binding.GetKind() == "ClusterRoleBinding" {
			field = "clusterPermissions"
		}
		list, _, _ := unstructured.NestedSlice(role.Object, "rules")
		rules[field+"/"+account] = append(rules[field+"/"+account], list...)
		taken[binding], taken[role] = true, true
	}
	permissions := map[string][]any{}
	for _, field := range []string{"clusterPermissions", "permissions"} {
		for _, account := range sortedNames(accounts) {
			if list := rules[field+"/"+account]; len(list) > 0 {
				permissions[field] = append(permissions[field], map[string]any{"serviceAccountName": account, "rules": list})
			}
		}
	}
	var rest []*unstructured.Unstructured
	for _, object := range objects {
		if taken[object] || (object.GetKind() == "ServiceAccount" && accounts[object.GetName()]) {
			continue
		}
		rest = append(rest, object)
	}
	return permissions, rest
}

func (objects bindings) find(kind, name string) *unstructured.Unstructured {
	for _, object := range objects {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	return nil
}

// boundAccount returns the account among those given that the binding is for, empty where it is for none.
func boundAccount(binding *unstructured.Unstructured, accounts map[string]bool) string {
	subjects, _, _ := unstructured.NestedSlice(binding.Object, "subjects")
	for _, subject := range subjects {
		s, _ := subject.(map[string]any)
		name, _ := s["name"].(string)
		if s["kind"] == "ServiceAccount" && accounts[name] {
			return name
		}
	}
	return ""
}

func sortedNames(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
