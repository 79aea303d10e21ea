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
)

// ConnectError says that no connection to an endpoint could be made: nothing of the request was sent, and none of its
// body was read, so that it may be sent to another endpoint whatever its method.
type ConnectError struct {
	// Timeout is true when the endpoint did not answer in time, false when it refused or cannot be reached.
	Timeout bool
	// TLS is true when the endpoint was reached, but did not prove itself, or not in a way that both know.
	TLS bool
	// Full is true when the endpoint has as many connections as it may have.
	Full bool
	// Err is what the dialler, or crypto/tls, said.
	Err error
}

func (e *ConnectError) Error() string { return "connect: " + e.Err.Error() }

// Unwrap gives the error of the dialler.
func (e *ConnectError) Unwrap() error { return e.Err }

// IsAlert says whether an error is an alert of the endpoint. With TLS 1.3 it refuses the proxy's certificate by one that comes in
// the place of a response.
func IsAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" // What crypto/tls calls it.
}

// ErrFull is what a ConnectError holds that is Full.
var ErrFull = errors.New("the endpoint has as many connections as it may have")
