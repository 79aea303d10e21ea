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

package message

import (
	"errors"
	"net"
	"os"
)

// TimeoutError is a net.Error of a timeout that says what did not come.
type TimeoutError struct{ What string }

func (e *TimeoutError) Error() string { return e.What + ": timeout" }

// Timeout says that it is one.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary is for net.Error, which has it from old times.
func (e *TimeoutError) Temporary() bool { return false }

// IsTimeout says whether an error is a timeout, of a deadline or of a dialler.
func IsTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
