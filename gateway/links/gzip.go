package links

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"sync"
)

// window is how much the inflater gives at once, unless the sender flushed: its
// history buffer, emptied each time it is full.
const window = 32 << 10

// gzipSource unpacks a gzip body, filters it, and packs it again if the client
// asked for gzip. It works through one window at a time and holds no more,
// however far a body expands.
type gzipSource struct {
	scan    scanner
	raw     *bufio.Reader
	unzip   *gzip.Reader
	zip     *gzip.Writer
	pack    bool
	started bool
	copied  bool // not gzip after all: pass it as it is
	total   int  // unpacked bytes so far, modulo window
	chunk   []byte
	packed  sink
	waiting []byte
	err     error // of the upstream, to be told when nothing waits

	unflushed bool // the packer holds bytes
}

// sink collects what the packer writes.
type sink struct{ b []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

var gzipSources = sync.Pool{New: func() any {
	return &gzipSource{
		raw:   bufio.NewReaderSize(nil, 16<<10),
		unzip: new(gzip.Reader),
		chunk: make([]byte, window),
	}
}}

// zippers are kept apart: at about 1 MB each they dwarf the rest, and a client
// that reads plain text needs none.
var zippers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant that compress/gzip knows
	}
	return w
}}

func newGzipBody(r *Rewriter, upstream io.ReadCloser, pack bool) *body {
	s := gzipSources.Get().(*gzipSource)
	s.raw.Reset(upstream)
	s.scan.reset(r)
	s.pack, s.started, s.copied, s.unflushed, s.total = pack, false, false, false, 0
	return &body{upstream: upstream, source: s}
}

func (s *gzipSource) release() {
	if s.zip != nil {
		s.zip.Reset(io.Discard)
		zippers.Put(s.zip)
	}
	s.zip, s.waiting, s.err, s.scan.r = nil, nil, nil, nil
	s.raw.Reset(nil)
	if cap(s.scan.out)+cap(s.packed.b) <= 2*maxPooled {
		gzipSources.Put(s)
	}
}

func (s *gzipSource) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !s.started {
		s.started = true
		s.start()
	}
	for len(s.waiting) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		if s.copied {
			return s.raw.Read(p)
		}
		s.step()
	}
	n := copy(p, s.waiting)
	s.waiting = s.waiting[n:]
	return n, nil
}

// start looks at the first bytes: a body that only claims to be gzip passes.
func (s *gzipSource) start() {
	if magic, _ := s.raw.Peek(2); len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		s.copied = true
		return
	}
	if s.err = s.unzip.Reset(s.raw); s.err != nil {
		return
	}
	if s.pack {
		s.zip = zippers.Get().(*gzip.Writer)
		s.zip.Reset(&s.packed)
	}
}

// step unpacks and filters the next piece, and puts what comes of it into
// waiting.
func (s *gzipSource) step() {
	n, err := s.unzip.Read(s.chunk)
	s.total = (s.total + n) % window
	text := s.scan.filtered(s.chunk[:n])
	if err != nil {
		text = s.scan.last(text)
	}
	s.err = err
	if s.zip == nil {
		s.waiting = text
		return
	}
	s.repack(text, err)
	s.waiting = s.packed.b
}

// repack packs text. Writing to the sink cannot fail.
func (s *gzipSource) repack(text []byte, err error) {
	s.packed.b = s.packed.b[:0]
	if len(text) > 0 {
		_, _ = s.zip.Write(text)
		s.unflushed = true
	}
	if errors.Is(err, io.EOF) {
		_ = s.zip.Close()
		return
	}
	// A piece that did not fill the window is one the upstream flushed; and
	// with nothing left to unpack the next read may wait for the upstream. A
	// body that was cut is packed as far as it came, without an end.
	if s.unflushed && (err != nil || s.total != 0 || s.raw.Buffered() == 0) {
		_ = s.zip.Flush()
		s.unflushed = false
	}
}
