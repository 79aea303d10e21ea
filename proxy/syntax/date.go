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

package syntax

import (
	"sync/atomic"
	"time"
)

// dated is a date and the second for which it is right.
type dated struct {
	second int64
	text   string
}

var lastDate atomic.Pointer[dated]

// Date is what the Date field of a response has now (RFC 9110 section 6.6.1). It is made once in a second.
func Date() string {
	now := time.Now()
	date := lastDate.Load()
	if date == nil || date.second != now.Unix() {
		date = &dated{now.Unix(), now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}
		lastDate.Store(date)
	}
	return date.text
}
