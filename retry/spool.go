package retry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
)

// A spool keeps request bodies, so that each attempt sends the same bytes:
// in memory up to a bound, then in temporary files, all within two budgets.
// Past them a body streams as far as it was not kept, and can be sent once.
type spool struct {
	each         int64 // bytes of one body in memory
	memory, disk purse
	dir          string
}

func newSpool(o Options) *spool {
	s := &spool{each: o.BodyMemory, dir: o.TempDir}
	s.memory.max, s.disk.max = o.MemoryBudget, o.DiskBudget
	return s
}

// used returns the bytes that bodies take now, in memory and on disk.
func (s *spool) used() (memory, disk int64) {
	return s.memory.used.Load(), s.disk.used.Load()
}

// A purse is a number of bytes that is lent out.
type purse struct {
	max  int64
	used atomic.Int64
}

func (p *purse) take(n int64) bool {
	if p.used.Add(n) > p.max {
		p.used.Add(-n)
		return false
	}
	return true
}

func (p *purse) give(n int64) { p.used.Add(-n) }

func (p *purse) left() int64 { return p.max - p.used.Load() }

// take takes over req's body, nil when it has none. It reads the body to its
// end unless req can give it again. When that fails nothing is to be sent.
func (s *spool) take(req *http.Request) (*body, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	b := &body{spool: s, trailers: len(req.Trailer) > 0, declared: req.ContentLength}
	b.users.Store(1)
	if req.GetBody != nil {
		b.first, b.again = req.Body, req.GetBody
		return b, nil
	}
	if req.ContentLength == 0 {
		// To net/http a length of 0 with a body means that it is unknown.
		b.declared = -1
	}
	src := &closeOnce{ReadCloser: req.Body}
	if err := b.fill(req.Context(), src); err != nil {
		src.Close()
		b.release()
		return nil, fmt.Errorf("read the body of %s %s, nothing was sent: %w", req.Method, req.URL.Path, err)
	}
	if b.rest == nil {
		src.Close()
	}
	return b, nil
}

// A body is one call's body. It is let go when the call and all readers of
// its attempts have let it go.
type body struct {
	spool    *spool
	declared int64 // Content-Length as it came, -1 when unknown
	trailers bool
	users    atomic.Int32 // the call, and each open reader

	// A body that the request gives again:
	first io.ReadCloser
	again func() (io.ReadCloser, error)

	// A body that was read, in this order:
	memory []byte
	file   *os.File
	size   int64         // bytes in file
	tail   []byte        // read, but refused by the file
	rest   io.ReadCloser // not read, nil when all was

	heldMemory, heldDisk int64
}

// fill reads src into memory, then into a file; what fits neither stays in
// rest. A caller who leaves ends the reading.
func (b *body) fill(ctx context.Context, src io.ReadCloser) error {
	stop := context.AfterFunc(ctx, func() { src.Close() })
	defer stop()
	ended, err := b.fillMemory(src)
	if err == nil && !ended {
		ended, err = b.fillFile(src)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case !ended:
		b.rest = src
	case b.declared >= 0 && b.length() != b.declared:
		return fmt.Errorf("it has %d bytes and Content-Length says %d", b.length(), b.declared)
	}
	return nil
}

func (b *body) length() int64 { return int64(len(b.memory)) + b.size }

// fillMemory reads src to its end, or until memory may hold no more of it. It
// takes memory as bytes arrive: a large Content-Length alone takes little.
func (b *body) fillMemory(src io.Reader) (ended bool, err error) {
	most := b.spool.each + 1 // one more, to see the end
	if b.declared >= most {
		return false, nil
	}
	want := int64(512)
	if b.declared >= 0 {
		want = min(b.declared, 64<<10) + 1
	}
	for want = min(want, most); ; {
		if len(b.memory) == cap(b.memory) {
			if int64(cap(b.memory)) == most || !b.growMemory(want) {
				return false, nil
			}
			want = min(2*want, most)
		}
		n, err := src.Read(b.memory[len(b.memory):cap(b.memory)])
		b.memory = b.memory[:len(b.memory)+n]
		if err != nil {
			return true, notEOF(err)
		}
	}
}

func (b *body) growMemory(size int64) bool {
	more := size - int64(cap(b.memory))
	if !b.spool.memory.take(more) {
		return false
	}
	b.heldMemory += more
	b.memory = append(make([]byte, 0, size), b.memory...)[:len(b.memory):size]
	return true
}

const chunk = 32 << 10

// fillFile moves what was read into a temporary file and reads on, to the end
// or until disk may hold no more. It takes disk before it reads, so that
// nothing is read that cannot be kept; only a disk that is full in fact
// leaves a tail.
func (b *body) fillFile(src io.Reader) (ended bool, err error) {
	if b.spool.disk.left() < b.declared+chunk || !b.openFile() {
		return false, nil
	}
	buf := make([]byte, chunk)
	for b.takeDisk(chunk) {
		n, err := src.Read(buf)
		if !b.write(buf[:n]) {
			b.tail = buf[:n]
			return false, notEOF(err)
		}
		b.giveDisk(chunk - int64(n))
		if err != nil {
			return true, notEOF(err)
		}
	}
	return false, nil
}

func notEOF(err error) error {
	if err == io.EOF { //nolint:errorlint // a wrapped EOF is an error, not the end
		return nil
	}
	return err
}

// openFile makes the file and moves the memory's bytes there. Without room
// they stay where they are.
func (b *body) openFile() bool {
	kept := int64(len(b.memory))
	if !b.takeDisk(kept) {
		return false
	}
	file, err := os.CreateTemp(b.spool.dir, "flyball-body-*")
	if err != nil {
		b.giveDisk(kept)
		return false
	}
	b.file = file
	// Unlinked at once: no crash leaves a customer's words behind.
	_ = os.Remove(file.Name())
	if !b.write(b.memory) {
		b.giveDisk(kept)
		return false
	}
	b.spool.memory.give(b.heldMemory)
	b.memory, b.heldMemory = nil, 0
	return true
}

func (b *body) write(p []byte) bool {
	if _, err := b.file.WriteAt(p, b.size); err != nil {
		return false
	}
	b.size += int64(len(p))
	return true
}

func (b *body) takeDisk(n int64) bool {
	if !b.spool.disk.take(n) {
		return false
	}
	b.heldDisk += n
	return true
}

func (b *body) giveDisk(n int64) {
	b.spool.disk.give(n)
	b.heldDisk -= n
}

// describe states the body's length in req, now that it is known, and reports
// whether it is empty. Trailers need chunks, so with them it stays unstated.
func (b *body) describe(req *http.Request) (empty bool) {
	if b.again != nil || b.rest != nil || b.trailers {
		return false
	}
	req.TransferEncoding, req.ContentLength = nil, b.length()
	if b.length() == 0 {
		req.Body = http.NoBody
		return true
	}
	return false
}

// open returns a reader of the body from its beginning. It is the caller's to
// close and valid until then, whatever the other readers do.
func (b *body) open() (*reader, error) {
	r := &reader{body: b}
	switch {
	case b.first != nil:
		r.src, r.inner, b.first = b.first, b.first, nil
	case b.again != nil:
		again, err := b.again()
		if err != nil {
			return nil, err
		}
		r.src, r.inner = again, again
	default:
		r.src = b.stored()
	}
	b.users.Add(1)
	return r, nil
}

func (b *body) stored() io.Reader {
	var src io.Reader = bytes.NewReader(b.memory)
	if b.size > 0 {
		src = io.NewSectionReader(b.file, 0, b.size)
	}
	if b.rest != nil {
		src = io.MultiReader(src, bytes.NewReader(b.tail), b.rest)
	}
	return src
}

// release gives up one use of the body; the last one frees what it holds.
func (b *body) release() {
	if b.users.Add(-1) != 0 {
		return
	}
	if b.rest != nil {
		b.rest.Close()
	}
	if b.file != nil {
		name := b.file.Name()
		b.file.Close()
		_ = os.Remove(name) // where an open file cannot be unlinked
	}
	b.spool.memory.give(b.heldMemory)
	b.spool.disk.give(b.heldDisk)
}

// A reader reads a body for one attempt. The transport may read on after its
// RoundTrip returned, until it closes the reader.
type reader struct {
	body  *body
	src   io.Reader
	inner io.Closer // closed with the reader, nil when that is the body's care
	state atomic.Int32
}

// What has happened to a reader.
const (
	begun  = 1 << iota // bytes may have left
	closed             // none leave any more
)

var errClosed = errors.New("read of a request body after its attempt ended")

func (r *reader) Read(p []byte) (int, error) {
	for {
		switch old := r.state.Load(); {
		case old&closed != 0:
			return 0, errClosed
		case old&begun != 0:
			return r.src.Read(p)
		case r.state.CompareAndSwap(old, begun):
			return r.src.Read(p)
		}
	}
}

// Close ends the reading. It may be called at any time, more than once.
func (r *reader) Close() error {
	r.shut()
	return nil
}

// shut closes the reader and reports whether nothing was ever read from it.
// Then the server has seen no byte of the body, and never will.
func (r *reader) shut() (untouched bool) {
	old := r.state.Or(closed)
	if old&closed == 0 {
		r.end()
	}
	return old&begun == 0
}

// forgo shuts the reader if nothing was ever read from it, and reports
// whether that is so.
func (r *reader) forgo() bool {
	if r.state.CompareAndSwap(0, closed) {
		r.end()
	}
	return r.state.Load()&begun == 0
}

func (r *reader) end() {
	if r.inner != nil {
		r.inner.Close()
	}
	r.body.release()
}

// A closeOnce closes once, whoever closes it.
type closeOnce struct {
	io.ReadCloser
	once sync.Once
}

func (c *closeOnce) Close() (err error) {
	c.once.Do(func() { err = c.ReadCloser.Close() })
	return err
}
