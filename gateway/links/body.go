package links

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// A source turns an upstream body into the bytes to pass on. It is used by one
// goroutine at a time, and let go once.
type source interface {
	io.Reader
	release()
}

// A body is what takes the upstream body's place. Close may be called while
// Read runs, as for any response body; what is pooled is then let go by Read.
type body struct {
	upstream io.ReadCloser
	source   source
	use      atomic.Uint32
	ahead    *[small]byte // holds ready, if not nil
	ready    []byte       // read ahead of the client
	err      error        // of the source, to be told when ready is read
}

const (
	unused uint32 = iota
	reading
	closed
)

func (b *body) Read(p []byte) (int, error) {
	if !b.use.CompareAndSwap(unused, reading) {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.read(p)
	if !b.use.CompareAndSwap(reading, unused) {
		b.release()
	}
	return n, err
}

func (b *body) read(p []byte) (n int, err error) {
	if len(b.ready) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		return b.source.Read(p)
	}
	n = copy(p, b.ready)
	if b.ready = b.ready[n:]; len(b.ready) == 0 {
		err = b.err
	}
	return n, err
}

func (b *body) Close() error {
	if b.use.Swap(closed) == unused {
		b.release()
	}
	return b.upstream.Close()
}

func (b *body) release() {
	b.source.release()
	if b.ahead != nil {
		aheads.Put(b.ahead)
		b.ahead, b.ready = nil, nil
	}
}

// small is what a body may take, in bytes, to be read ahead of its client.
const small = 16 << 10

var aheads = sync.Pool{New: func() any { return new([small]byte) }}

// readAhead reads a body that is expected to be small. It gives the new length
// if that is known: if the body ended well within small bytes.
func (b *body) readAhead() (length int64, known bool) {
	b.ahead = aheads.Get().(*[small]byte)
	n := 0
	for n < small && b.err == nil {
		var m int
		m, b.err = b.source.Read(b.ahead[n:])
		n += m
	}
	b.ready = b.ahead[:n]
	return int64(n), errors.Is(b.err, io.EOF)
}

// plainSource filters a body that is not compressed. Chunks in which nothing
// changes are handed on where they were read.
type plainSource struct {
	upstream io.Reader
	scan     scanner
	waiting  []byte // filtered, not yet read
	err      error  // of the upstream, to be told when nothing waits
}

var plainSources = sync.Pool{New: func() any { return new(plainSource) }}

func newPlainBody(r *Rewriter, upstream io.ReadCloser) *body {
	s := plainSources.Get().(*plainSource)
	s.upstream = upstream
	s.scan.reset(r)
	return &body{upstream: upstream, source: s}
}

func (s *plainSource) release() {
	s.upstream, s.waiting, s.err = nil, nil, nil
	s.scan.r = nil
	if cap(s.scan.out) <= maxPooled {
		plainSources.Put(s)
	}
}

// maxPooled bounds the buffers kept for the next answer.
const maxPooled = 128 << 10

func (s *plainSource) Read(p []byte) (int, error) {
	for {
		if len(s.waiting) > 0 {
			n := copy(p, s.waiting)
			s.waiting = s.waiting[n:]
			return n, nil
		}
		if s.err != nil || len(p) == 0 {
			return 0, s.err
		}
		n, err := s.upstream.Read(p)
		s.err = err
		s.waiting = s.scan.filtered(p[:n])
		if err != nil {
			s.waiting = s.scan.last(s.waiting)
		}
		if n == 0 && err == nil {
			return 0, nil
		}
		if isPrefix(s.waiting, p) {
			// Nothing changed: it stands where it was read.
			n, s.waiting = len(s.waiting), nil
			return n, err
		}
	}
}

// isPrefix reports whether text is the very memory that p begins with.
func isPrefix(text, p []byte) bool { return len(text) > 0 && &text[0] == &p[0] }
