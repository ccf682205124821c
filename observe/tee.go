package observe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// A tee notes what the base reads of a request's body, for the trial, which
// has it once it was read whole.
type tee struct {
	keep   *keep
	length int64 // as it was declared, negative when it was not
	done   chan struct{}

	mu       sync.Mutex
	turn     int // a base may begin again: only the latest reading counts
	read     int64
	shut     bool // the base closed the body
	returned bool // the base's RoundTrip did
	ended    bool

	// Valid when done is closed:
	whole bool  // all of the body was read
	err   error // the client's: the body could not be read
}

func newTee(req *http.Request, k *keep) *tee {
	t := &tee{keep: k, length: req.ContentLength, done: make(chan struct{})}
	if t.length == 0 {
		t.length = -1 // to net/http a length of 0 with a body means that it is unknown
	}
	return t
}

// on returns req with a body that is noted as it is read.
func (t *tee) on(req *http.Request) *http.Request {
	out := req.WithContext(req.Context())
	out.Body = &teed{req.Body, t, 0}
	if again := req.GetBody; again != nil {
		out.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return nil, err
			}
			return &teed{body, t, t.again()}, nil
		}
	}
	return out
}

// again begins another reading.
func (t *tee) again() (turn int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn++
	if !t.ended {
		t.read, t.shut = 0, false
		t.keep.again()
	}
	return t.turn
}

// take notes one Read.
func (t *tee) take(turn int, p []byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || t.shut || turn != t.turn {
		return
	}
	t.keep.add(p)
	t.read += int64(len(p))
	switch {
	case errors.Is(err, http.ErrBodyReadAfterClose):
		t.shut = true
		t.settle()
	case err != nil && !errors.Is(err, io.EOF):
		t.end(false, err)
	case t.read == t.length, errors.Is(err, io.EOF) && t.length < 0:
		t.end(true, nil)
	case errors.Is(err, io.EOF):
		t.end(false, io.ErrUnexpectedEOF)
	}
}

func (t *tee) close(turn int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn == t.turn {
		t.shut = true
		t.settle()
	}
}

// answered notes that the base's RoundTrip has returned. It may read on until
// it closes the body, but for when it failed.
func (t *tee) answered(err error) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.returned = true
	t.shut = t.shut || err != nil
	t.settle()
}

// abandon ends the waiting for a body that nobody will read any more.
func (t *tee) abandon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		t.end(false, nil)
	}
}

// settle ends with a body that was not read whole. The caller holds the lock,
// here and below.
func (t *tee) settle() {
	if t.shut && t.returned && !t.ended {
		t.end(false, nil)
	}
}

func (t *tee) end(whole bool, err error) {
	t.ended, t.whole, t.err = true, whole, err
	close(t.done)
}

// A teed body is what the base reads.
type teed struct {
	io.ReadCloser
	to   *tee
	turn int
}

func (b *teed) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.to.take(b.turn, p[:n], err)
	return n, err
}

func (b *teed) Close() error {
	b.to.close(b.turn)
	return b.ReadCloser.Close()
}

// A trialBody is the body as the trial reads it: it blocks until the base has
// read the real one.
type trialBody struct {
	ctx  context.Context
	tee  *tee
	had  func(text []byte) // told of a body that was kept whole, if it has any bytes
	text io.Reader         // nil before the first Read
}

func (b *trialBody) Read(p []byte) (int, error) {
	if b.text == nil {
		select {
		case <-b.tee.done:
		case <-b.ctx.Done():
			return 0, context.Cause(b.ctx)
		}
		if b.tee.err != nil {
			return 0, b.tee.err
		}
		text, all := b.tee.keep.bytes()
		switch b.text = bytes.NewReader(text); {
		case !all || !b.tee.whole:
			b.text = opaque(max(2, b.tee.declared()))
		case len(text) > 0:
			b.had(text)
		}
	}
	return b.text.Read(p)
}

func (b *trialBody) Close() error { return nil }

// opaque stands for a body of n bytes that is not known: JSON that is no object,
// so it is neither merged nor left out.
func opaque(n int64) io.Reader {
	return io.MultiReader(strings.NewReader("["), io.LimitReader(blanks{}, n-2), strings.NewReader("]"))
}

type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// declared is the length that the trial's request says: none where the body is
// longer than what may be kept of it, or shorter than any JSON.
func (t *tee) declared() int64 {
	if t.length > int64(t.keep.most) || t.length < 2 {
		return -1
	}
	return t.length
}
