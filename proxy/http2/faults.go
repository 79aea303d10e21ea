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

package http2

import (
	"errors"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/message"
)

// errCalm ends a connection whose client makes work for nothing.
const (
	errCalm        = http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	errProtocol    = http2.ConnectionError(http2.ErrCodeProtocol)
	errFlow        = http2.ConnectionError(http2.ErrCodeFlowControl)
	errCompression = http2.ConnectionError(http2.ErrCodeCompression)
	errClosed      = http2.ConnectionError(http2.ErrCodeStreamClosed)
)

var (
	errSlowReader    = errors.New("the client reads too slowly")
	errReset         = errors.New("the stream was reset")
	errSent          = errors.New("the response has begun")
	errLargeTrailers = errors.New("trailers are too large")
)

// What reading a request's content ends with, and the status that says so.
var (
	errClientGone  = &message.ContentError{Status: 400, Err: errors.New("the client is gone")}
	errSlowBody    = &message.ContentError{Status: 408, Err: errors.New("content comes too slowly")}
	errLargeBody   = &message.ContentError{Status: 413, Err: errors.New("content is too large")}
	errInterrupted = &message.ContentError{Status: 400, Err: errors.New("interrupted")}
)
