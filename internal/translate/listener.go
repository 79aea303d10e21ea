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

package translate

import (
	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// listenerResource renders a served listener; topology serves HTTP alone.
func listenerResource(l *topology.Listener) *adminv1.Resource {
	return &adminv1.Resource{
		Name: topology.ListenerName(l.Name),
		Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
			Port:     uint32(l.Port),
			Protocol: adminv1.Protocol_PROTOCOL_HTTP,
			Hostname: l.Hostname,
		}},
	}
}
