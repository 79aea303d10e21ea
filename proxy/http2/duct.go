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

// duct is a call after an extended CONNECT.
type duct struct{ call *call }

// Read gives what the endpoint has sent.
func (d *duct) Read(p []byte) (int, error) { return d.call.body.Read(p) }

// Write sends to the endpoint.
func (d *duct) Write(p []byte) (int, error) {
	if err := d.call.sendPiece(p, false); err != nil {
		return 0, err
	}
	d.call.release()
	return len(p), nil
}

// Close ends both directions.
func (d *duct) Close() error {
	x := d.call
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.body.fail(errInterrupted)
	x.wake.Broadcast()
	if x.over || x.sent || x.link.broken != nil {
		return nil
	}
	x.sendData(nil, true)
	x.endRequest()
	x.link.flush(false)
	return nil
}
