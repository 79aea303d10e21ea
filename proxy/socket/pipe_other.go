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

package socket

// Pipe is what other systems than Linux do not have; there bytes are copied.
type Pipe struct {
	Held, Want, Moved int
	Err               error
	Ended, Patient    bool
	Pull, Push        func(fd uintptr) bool
}

// TakePipe gives none.
func TakePipe() *Pipe { return nil }

// Release does nothing.
func (p *Pipe) Release() {}
