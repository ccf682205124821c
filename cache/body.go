package cache

import (
	"errors"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/flyballhq/flyball/flight"
)

// errTooLong ends the capture of a body that is longer than may be kept.
var errTooLong = errors.New("the body is too long to be kept")

// A body is an answer's body that streams to the caller who asked first and is
// captured on its way. Who joined does not wait for that caller to read: with
// [body.pump] it is read at the server's pace.
type body struct {
	src  io.ReadCloser
	turn chan struct{} // full while somebody reads src
	max  int64
	want int64 // the announced length, negative when there is none
	// done is told once, before the last byte is handed over: the whole, or
	// why there is none.
	done func(whole []byte, err error)

	mu   sync.Mutex
	buf  []byte
	err  error // src's last, io.EOF when the whole is in buf
	over bool  // too long: what comes is not captured any more
	told bool
	refs int // the reader and the pump, while they use src
}

func newBody(src io.ReadCloser, want, bound int64, done func([]byte, error)) *body {
	b := &body{src: src, turn: make(chan struct{}, 1), max: bound, want: want, done: done, refs: 1}
	if want > 0 {
		b.buf = make([]byte, 0, want)
	}
	return b
}

// A leaderBody is the body as the first caller reads it.
type leaderBody struct {
	*body
	at     int // read up to here
	closed bool
	leave  func() // the caller needs no more
}

func (r *leaderBody) Read(p []byte) (int, error) {
	for {
		if n, err, ok := r.captured(p); ok {
			return n, err
		}
		r.turn <- struct{}{}
		if r.ahead() {
			<-r.turn
			continue
		}
		n, err := r.src.Read(p)
		r.at += r.take(p[:n], err)
		<-r.turn
		return n, err
	}
}

// captured reads what is in the buffer already.
func (r *leaderBody) captured(p []byte) (n int, err error, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at < len(r.buf) {
		n = copy(p, r.buf[r.at:])
		r.at += n
		return n, nil, true
	}
	if r.over {
		r.buf, r.at = nil, 0
	}
	return 0, r.err, r.err != nil
}

// ahead reports whether the pump has been here since.
func (r *leaderBody) ahead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at < len(r.buf) || r.err != nil
}

// lastRead is how long closing waits for an end that is all but there: readers
// of JSON stop at the last brace.
const lastRead = 100 * time.Millisecond

// Close ends the reading. What others wait for is still read.
func (r *leaderBody) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	r.finish()
	r.leave()
	return r.release()
}

// finish reads the end of a body that was read up to it.
func (r *leaderBody) finish() {
	r.mu.Lock()
	near := r.err == nil && !r.over && r.refs == 1 && r.at > 0 && r.at == len(r.buf)
	r.mu.Unlock()
	if !near {
		return
	}
	select {
	case r.turn <- struct{}{}:
	default:
		return
	}
	if r.want >= 0 && int64(r.at) == r.want {
		r.take(nil, io.EOF)
	} else {
		late := time.AfterFunc(lastRead, func() { _ = r.src.Close() })
		var rest [512]byte
		n, err := r.src.Read(rest[:])
		r.take(rest[:n], err)
		late.Stop()
	}
	<-r.turn
}

// pump reads what is left. It runs in a goroutine of its own, which ends with
// src; the flight cancels that when nobody waits any more.
func (b *body) pump() {
	defer func() { _ = b.release() }()
	chunk := make([]byte, 16<<10)
	for b.step(chunk) {
	}
}

// hold counts the pump in, before it runs. It reports false when there is
// nothing left to read, or it was too late.
func (b *body) hold() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refs == 0 || b.err != nil || b.over {
		return false
	}
	b.refs++
	return true
}

func (b *body) step(chunk []byte) (more bool) {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	defer func() {
		if fault := recover(); fault != nil {
			b.take(nil, &flight.Panic{Value: fault, Stack: debug.Stack()})
			more = false
		}
	}()
	b.mu.Lock()
	ended := b.err != nil || b.over
	b.mu.Unlock()
	if ended {
		return false
	}
	n, err := b.src.Read(chunk)
	b.take(chunk[:n], err)
	return err == nil
}

// take captures what was read and reports how much of it is in the buffer. The
// caller has the turn.
func (b *body) take(p []byte, err error) (captured int) {
	b.mu.Lock()
	if !b.over {
		b.buf = append(b.buf, p...)
		captured = len(p)
	}
	if errors.Is(err, io.EOF) && b.want >= 0 && !b.over && int64(len(b.buf)) != b.want {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && b.err == nil {
		b.err = err
	}
	if int64(len(b.buf)) > b.max {
		b.over = true
	}
	tell, whole, why := !b.told && (b.err != nil || b.over), b.buf, b.err
	b.told = b.told || tell
	if b.over {
		why = errTooLong
	}
	b.mu.Unlock()
	if tell {
		if !errors.Is(why, io.EOF) {
			b.done(nil, why)
		} else {
			b.done(whole, nil)
		}
	}
	return captured
}

// release counts one user of src out; the last one closes it.
func (b *body) release() error {
	b.mu.Lock()
	b.refs--
	last := b.refs == 0
	b.mu.Unlock()
	if !last {
		return nil
	}
	b.take(nil, errLeft) // nobody reads on
	return b.src.Close()
}

// errLeft is what came of a body that nobody read to its end.
var errLeft = errors.New("the body was not read to its end")
