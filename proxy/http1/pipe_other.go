//go:build !linux

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

package http1

// pipe is what other systems than Linux do not have; there content is copied.
type pipe struct {
	held, want, moved int
	err               error
	ended, patient    bool
	pull, push        func(fd uintptr) bool
}

func takePipe() *pipe { return nil }

func (p *pipe) release() {}
