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
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	// maxPipes at one time. Their memory is the kernel's, which counts it per user: an unprivileged one may have 64 MiB in
	// all (pipe(7)). What moves beside as many is copied.
	maxPipes = 128

	setPipeSize       = 1031 // F_SETPIPE_SZ of fcntl(2)
	spliceMove        = 1    // SPLICE_F_MOVE of splice(2)
	spliceNonblocking = 2    // SPLICE_F_NONBLOCK
)

// Pipe is kernel memory through which bytes go from one socket to another without being copied.
type Pipe struct {
	*ends
	Held int // bytes in it
	// Pull takes what a socket has, and is for an empty pipe; Push gives to a socket what it takes. They are what
	// syscall.RawConn wants, move Want bytes at most, and leave in Moved and Err what came of it; both are zero when the socket was
	// not ready, for which they wait if Patient.
	Pull, Push func(fd uintptr) bool
	Want       int
	Moved      int
	Err        error
	Ended      bool // the socket has been read to its end
	Patient    bool
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

// TakePipe gives an empty pipe; nil when there is none to be had.
func TakePipe() *Pipe {
	if p, ok := pipes.Get().(*Pipe); ok {
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
	p := &Pipe{ends: &ends{out: descriptors[0], in: descriptors[1]}}
	size, _, number := syscall.Syscall(syscall.SYS_FCNTL, uintptr(p.in), setPipeSize, PipeSize)
	if number != 0 || size < PipeSize {
		p.close() // The user's share is used up, and a small pipe costs more than copying.
		return nil
	}
	p.Pull, p.Push = p.receive, p.transmit
	runtime.SetFinalizer(p.ends, (*ends).close)
	return p
}

// Release gives a pipe back. One that still holds something is closed.
func (p *Pipe) Release() {
	if p.Held > 0 {
		p.close()
		return
	}
	p.Err, p.Ended = nil, false
	pipes.Put(p)
}

// receive takes what a socket has. It is for an empty pipe, which has room whenever the socket has something.
func (p *Pipe) receive(fd uintptr) bool {
	ready := p.splice(int(fd), p.in)
	p.Held += p.Moved
	p.Ended = ready && p.Moved == 0 && p.Err == nil
	return ready || !p.Patient
}

// transmit gives to a socket what it takes.
func (p *Pipe) transmit(fd uintptr) bool {
	p.Want = p.Held
	ready := p.splice(p.out, int(fd))
	p.Held -= p.Moved
	return ready || !p.Patient
}

// splice moves bytes; false when the socket is not ready.
func (p *Pipe) splice(from, to int) bool {
	p.Moved, p.Err = 0, nil
	for {
		// Neither end blocks, so that the scheduler need not be told.
		n, _, err := syscall.RawSyscall6(syscall.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(p.Want), spliceMove|spliceNonblocking)
		switch err {
		case 0:
			p.Moved = int(n)
			return true
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		case syscall.EINVAL, syscall.ENOSYS, syscall.EPERM:
			unspliced.Store(true)
			p.Err = ErrUnspliced
			return true
		}
		p.Err = err
		return true
	}
}
