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

import (
	"fmt"
	"net"
	"slices"
	"sync"
)

// Doorway is a socket that lets in so many clients of whom nothing is known. Each has a file of the process, of which traffic needs most, for
// as long as it may take to say who it is or what it wants: without a bound, whoever reaches the port could keep others from being served.
// Where one more comes, the one that has taken longest has to go: to let nobody else in would have strangers keep out those who
// say so at once.
type Doorway struct {
	net.Listener
	most int

	mu sync.Mutex
	// entering are those of whom nothing is known, in the order in which they came.
	entering []*Entering
}

// OpenDoorway listens on an address, for at most so many clients of whom nothing is known.
func OpenDoorway(address string, most int) (*Doorway, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &Doorway{Listener: listener, most: most}, nil
}

// Accept waits for a client.
func (d *Doorway) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	plain, ok := conn.(*net.TCPConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("the socket gives a %T", conn)
	}
	client := &Entering{TCPConn: plain, door: d}
	if late := d.take(client); late != nil {
		_ = late.TCPConn.Close()
	}
	return client, nil
}

// take adds a client, and gives the one that has to go for it; nil for none.
func (d *Doorway) take(client *Entering) (late *Entering) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.entering) >= d.most {
		late = d.entering[0]
		d.entering = slices.Delete(d.entering, 0, 1)
	}
	d.entering = append(d.entering, client)
	return late
}

// leave takes away a client that has proved itself, or gone.
func (d *Doorway) leave(client *Entering) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at := slices.Index(d.entering, client); at >= 0 {
		d.entering = slices.Delete(d.entering, at, at+1)
	}
}

// Len is how many clients there are of whom nothing is known.
func (d *Doorway) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.entering)
}

// Entering is a client's connection.
type Entering struct {
	*net.TCPConn
	door *Doorway
}

// Enter says that it is known now who the client is: it has no place in the doorway any more.
func (e *Entering) Enter() { e.door.leave(e) }

// Close closes the connection.
func (e *Entering) Close() error {
	e.door.leave(e)
	return e.TCPConn.Close()
}
