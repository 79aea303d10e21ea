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

package config

import "time"

// Settings are how the proxy treats all its clients and endpoints.
type Settings struct {
	Name   string
	Limits Limits
	// TrustedHops is how many proxies in front of this one are believed about whom they forward for.
	TrustedHops uint32
	Unsupported string
}

// Limits bound what clients and endpoints may take. What is nil is as the bootstrap says.
type Limits struct {
	MaxRequestLineBytes, MaxHeaderBytes, MaxFields, MaxTrailerBytes, MaxConcurrentStreams *uint32
	MaxBodyBytes                                                                          *uint64
	HeaderTimeout, IdleTimeout, BodyTimeout, WriteTimeout                                 *time.Duration
	ConnectTimeout, ResponseTimeout, StreamTimeout                                        *time.Duration
}
