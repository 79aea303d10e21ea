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
	"io"
	"time"

	"golang.org/x/net/http2"
)

// read reads frames until the connection is over, and says why it is.
func (c *conn) read() error {
	if err := c.readPreface(); err != nil {
		return err
	}
	for first := true; ; first = false {
		c.settle(frameHead)
		header, err := c.framer.ReadFrameHeader()
		if err != nil {
			return err
		}
		c.settle(int(header.Length))
		frame, err := c.framer.ReadFrameForHeader(header)
		// RFC 9113 section 3.4: the client's preface ends with a SETTINGS frame.
		if first && (header.Type != http2.FrameSettings || header.Flags.Has(http2.FlagSettingsAck)) {
			return errProtocol
		}
		if err == nil {
			err = c.take(frame)
		}
		var wrong http2.StreamError
		switch {
		case err == nil:
		case errors.As(err, &wrong) && header.Type != http2.FrameHeaders:
			err = c.resetStream(wrong.StreamID, wrong.Code)
		case errors.As(err, &wrong):
			err = errProtocol // Its header section was not decoded, and later ones depend on it.
		}
		c.cancelLost()
		if err != nil {
			return err
		}
		if first {
			_ = c.conn.SetReadDeadline(time.Time{})
			c.mu.Lock()
			if c.stopped {
				c.stop()
			}
			c.mu.Unlock()
		}
	}
}

// readPreface exchanges prefaces (RFC 9113 section 3.4).
func (c *conn) readPreface() error {
	_ = c.conn.SetReadDeadline(time.Now().Add(c.limits.HeaderTimeout))
	c.mu.Lock()
	c.sendSettings(
		http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: c.limits.MaxConcurrentStreams},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(min(c.limits.MaxHeaderBytes, 1<<30))},
		http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1},
	)
	c.mu.Unlock()
	c.settle(len(http2.ClientPreface))
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.in, preface); err != nil {
		return err
	}
	if string(preface) != http2.ClientPreface {
		return errProtocol
	}
	return nil
}

// settle is called before reading size bytes. If that means waiting, what has been read is dealt with first: requests
// are handled once the frames behind them have been seen, so that content which is there goes with its head.
func (c *conn) settle(size int) {
	if c.in.Buffered() >= size {
		return
	}
	for i, s := range c.fresh {
		c.server.crew.take(s)
		c.fresh[i] = nil
	}
	c.fresh = c.fresh[:0]
	c.mu.Lock()
	c.flush(false)
	c.mu.Unlock()
}

// cancelLost tells the handlers of streams that have ended. It is called without the lock, because they may need it to
// end what they wait for.
func (c *conn) cancelLost() {
	for i, s := range c.lost {
		s.context.Cancel()
		c.lost[i] = nil
	}
	c.lost = c.lost[:0]
}

func (c *conn) take(frame http2.Frame) error {
	switch f := frame.(type) {
	case *http2.DataFrame:
		return c.takeData(f)
	case *http2.HeadersFrame:
		return c.takeHead(f)
	case *http2.RSTStreamFrame:
		return c.takeReset(f)
	case *http2.SettingsFrame:
		return c.takeSettings(f)
	case *http2.PingFrame:
		return c.takePing(f)
	case *http2.WindowUpdateFrame:
		return c.takeWindow(f)
	case *http2.PushPromiseFrame:
		return errProtocol // RFC 9113 section 8.4: "A client cannot push."
	case *http2.PriorityFrame:
		// RFC 7540 section 5.3.1: "A stream cannot depend on itself." RFC 9113 lets priorities be ignored.
		if f.StreamDep == f.StreamID {
			return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeProtocol}
		}
	case *http2.GoAwayFrame:
	}
	return c.pay(costFrame)
}

func (c *conn) takePing(f *http2.PingFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.IsAck() {
		if c.leave == announced && f.Data == leavePing {
			c.depart()
			return nil
		}
		return c.pay(costFrame)
	}
	if err := c.pay(costFrame); err != nil {
		return err
	}
	if err := c.answer(); err != nil {
		return err
	}
	c.sendPing(true, f.Data)
	return nil
}

func (c *conn) takeSettings(f *http2.SettingsFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.IsAck() {
		return c.pay(costFrame)
	}
	if err := c.pay(costSettings); err != nil {
		return err
	}
	if err := f.ForeachSetting(c.takeSetting); err != nil {
		return err
	}
	if err := c.answer(); err != nil {
		return err
	}
	c.sendSettingsAck()
	return nil
}

func (c *conn) takeSetting(setting http2.Setting) error {
	if err := setting.Valid(); err != nil {
		return err
	}
	switch setting.ID {
	case http2.SettingMaxFrameSize:
		c.peer.maxFrame = int(min(setting.Val, outputHigh))
	case http2.SettingInitialWindowSize:
		// RFC 9113 section 6.9.2: "When the value of SETTINGS_INITIAL_WINDOW_SIZE changes, a receiver MUST adjust the
		// size of all stream flow-control windows that it maintains by the difference".
		grown := int64(setting.Val) - c.peer.window
		c.peer.window = int64(setting.Val)
		for _, s := range c.streams {
			if s.window += grown; s.window > maxWindow {
				return errFlow
			}
			s.wake.Broadcast()
		}
	}
	return nil
}

func (c *conn) takeWindow(f *http2.WindowUpdateFrame) error {
	if err := c.pay(costFrame); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID == 0 {
		starved := c.peer.conn <= 0
		if c.peer.conn += int64(f.Increment); c.peer.conn > maxWindow {
			return errFlow
		}
		for _, s := range c.streams {
			if starved {
				s.wake.Broadcast()
			}
		}
		return nil
	}
	s := c.streams[f.StreamID]
	if s == nil {
		if f.StreamID > c.lastSeen {
			return errProtocol
		}
		return nil // It has ended meanwhile.
	}
	if s.window += int64(f.Increment); s.window > maxWindow {
		return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeFlowControl}
	}
	s.wake.Broadcast()
	return nil
}

func (c *conn) takeReset(f *http2.RSTStreamFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[f.StreamID]
	if s == nil {
		if f.StreamID > c.lastSeen {
			return errProtocol
		}
		return c.pay(costFrame)
	}
	c.recent.add(s.id, false)
	c.drop(s, errClientGone)
	c.lost = append(c.lost, s)
	return c.pay(costReset)
}

// resetStream answers an error of one stream.
func (c *conn) resetStream(id uint32, code http2.ErrCode) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id > c.lastSeen {
		return errProtocol // A stream that is not there cannot be reset.
	}
	if err := c.pay(costReset); err != nil {
		return err
	}
	if err := c.answer(); err != nil {
		return err
	}
	c.sendReset(id, code)
	c.recent.add(id, true)
	if s := c.streams[id]; s != nil {
		c.drop(s, errClientGone)
		c.lost = append(c.lost, s)
	}
	return nil
}

func (c *conn) takeData(f *http2.DataFrame) error {
	id, data := f.StreamID, f.Data()
	size := int64(f.Length)
	c.mu.Lock()
	defer c.mu.Unlock()
	if size > c.window {
		return errFlow
	}
	c.window -= size
	s := c.streams[id]
	if s == nil {
		return c.takeLateData(id, size)
	}
	if s.remoteEnded {
		c.giveBack(size)
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeStreamClosed}
	}
	if size > s.body.window {
		c.giveBack(size)
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeFlowControl}
	}
	s.body.window -= size
	if !s.body.add(data) {
		c.giveBack(size)
	} else if padding := size - int64(len(data)); padding > 0 {
		s.body.giveBack(padding)
	}
	if f.StreamEnded() && !s.endRequest() || s.body.exceeds() {
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeProtocol}
	}
	s.wake.Broadcast()
	if len(data) == 0 && !f.StreamEnded() {
		return c.pay(costFrame)
	}
	return nil
}

// takeLateData is for a stream that has ended.
func (c *conn) takeLateData(id uint32, size int64) error {
	if id > c.lastSeen {
		return errProtocol
	}
	c.giveBack(size)
	// RFC 9113 section 5.1: after a reset that was sent, frames that were on their way are ignored.
	if byUs, _ := c.recent.find(id); byUs || id > c.lastTaken {
		return c.pay(costFrame)
	}
	return http2.StreamError{StreamID: id, Code: http2.ErrCodeStreamClosed}
}

// decode decodes a header section, in the time that it has.
func (c *conn) decode(f *http2.HeadersFrame) error {
	if f.HeadersEnded() {
		return c.head.decode(f, nil)
	}
	c.headSince.Store(clock())
	defer c.headSince.Store(0)
	return c.head.decode(f, func() (http2.Frame, error) {
		c.settle(frameHead)
		return c.framer.ReadFrame()
	})
}
