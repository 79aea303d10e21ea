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

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	// maxPipes at one time. Their memory is the kernel's, which counts it per user: an unprivileged one may have 64 MiB in
	// all (pipe(7)). More contents than that at one time are copied.
	maxPipes = 128

	setPipeSize       = 1031 // F_SETPIPE_SZ of fcntl(2)
	spliceMove        = 1    // SPLICE_F_MOVE of splice(2)
	spliceNonblocking = 2    // SPLICE_F_NONBLOCK
)

// pipe is kernel memory through which content goes from one socket to another without being copied.
type pipe struct {
	*ends
	held int // bytes in it
	// pull and push are receive and transmit, made functions once. They move want bytes at most, and leave in moved and
	// err what came of it; both are zero when the socket was not ready, for which they wait if patient.
	pull, push func(fd uintptr) bool
	want       int
	moved      int
	err        error
	ended      bool // the socket has been read to its end
	patient    bool
}

// ends are a pipe's descriptors. They are closed when nobody holds them any more, which is why they know nothing of their pipe.
type ends struct{ in, out int }

func (e *ends) close() {
	runtime.SetFinalizer(e, nil)
	_ = syscall.Close(e.in)
	_ = syscall.Close(e.out)
	opened.Add(-1)
}

// pipes that are in no use. The collector closes those that the pool lets go of.
var (
	pipes  sync.Pool
	opened atomic.Int64
	// unspliced is true when a system call has told that pipes are of no use here.
	unspliced atomic.Bool
)

// takePipe gives an empty pipe; nil when there is none to be had.
func takePipe() *pipe {
	if p, ok := pipes.Get().(*pipe); ok {
		return p
	}
	if unspliced.Load() {
		return nil
	}
	if opened.Add(1) > maxPipes {
		opened.Add(-1)
		return nil
	}
	var descriptors [2]int
	if err := syscall.Pipe2(descriptors[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		opened.Add(-1)
		return nil
	}
	p := &pipe{ends: &ends{out: descriptors[0], in: descriptors[1]}}
	size, _, number := syscall.Syscall(syscall.SYS_FCNTL, uintptr(p.in), setPipeSize, pipeSize)
	if number != 0 || size < pipeSize {
		p.close() // The user's share is used up, and a small pipe costs more than copying.
		return nil
	}
	p.pull, p.push = p.receive, p.transmit
	runtime.SetFinalizer(p.ends, (*ends).close)
	return p
}

// release gives a pipe back. One that still holds something is closed.
func (p *pipe) release() {
	if p.held > 0 {
		p.close()
		return
	}
	p.err, p.ended = nil, false
	pipes.Put(p)
}

// receive takes what a socket has. It is for an empty pipe, which has room whenever the socket has something.
func (p *pipe) receive(fd uintptr) bool {
	ready := p.splice(int(fd), p.in)
	p.held += p.moved
	p.ended = ready && p.moved == 0 && p.err == nil
	return ready || !p.patient
}

// transmit gives to a socket what it takes.
func (p *pipe) transmit(fd uintptr) bool {
	p.want = p.held
	ready := p.splice(p.out, int(fd))
	p.held -= p.moved
	return ready || !p.patient
}

// splice moves bytes; false when the socket is not ready.
func (p *pipe) splice(from, to int) bool {
	p.moved, p.err = 0, nil
	for {
		n, err := syscall.Splice(from, nil, to, nil, p.want, spliceMove|spliceNonblocking)
		switch err {
		case nil:
			p.moved = int(n)
			return true
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		case syscall.EINVAL, syscall.ENOSYS, syscall.EPERM:
			unspliced.Store(true)
			p.err = errUnspliced
			return true
		}
		p.err = err
		return true
	}
}
