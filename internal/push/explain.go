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

package push

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"google.golang.org/grpc/status"
)

// layers is what gRPC says before the cause, each with everything that comes before it.
var layers = []string{
	"transport: authentication handshake failed: ",
	"transport: Error while dialing: ",
	"error reading server preface: ",
	"error reading from server: ",
}

// sockets is how the standard library names both ends of a connection. Ours has another port each time, and what is the
// same failure has to read the same: what is told ends up in a condition, which is written when it changes.
var sockets = regexp.MustCompile(`(read|write) tcp \S+->\S+: `)

// explain is an error for a person: what went wrong, without the layers around it.
func explain(err error) string {
	if err == nil || errors.Is(err, io.EOF) {
		return "the replica ended the session"
	}
	message := err.Error()
	if grpcStatus, ok := status.FromError(err); ok {
		message = grpcStatus.Message()
	}
	for _, layer := range layers {
		if at := strings.LastIndex(message, layer); at >= 0 {
			// The cause was quoted by the layers that are cut off here.
			message = strings.TrimSuffix(message[at+len(layer):], `"`)
		}
	}
	return sockets.ReplaceAllString(message, "")
}
