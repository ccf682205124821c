package retry

import (
	"bytes"
	"io"
	"net/http"
)

const (
	// maxPeek is how much of a refusing answer's body is read to find out
	// what it says. Admission reads as much: the two must agree on what is a
	// refusal, or a repeat that nobody holds back follows.
	maxPeek = 4 << 10
	// maxKept is the longest body of an unwelcome answer that is kept while
	// the call is tried again.
	maxKept = 64 << 10
)

// tooLong reports whether an answer says that its body is longer than is
// kept. An answer to HEAD states a length and has no body.
func tooLong(method string, resp *http.Response) bool {
	return resp != nil && resp.ContentLength > maxKept && method != http.MethodHead
}

// peek reads the beginning of resp's body and leaves the body whole.
func peek(resp *http.Response) []byte {
	head, err := io.ReadAll(io.LimitReader(resp.Body, maxPeek))
	resp.Body = &joined{Reader: rejoin(head, err, resp.Body), Closer: resp.Body}
	return head
}

// keep reads resp's body, lets its connection go, and puts what it read in
// its place, so that resp can be handed over later as it came. A body longer
// than maxKept is not whole: resp then streams as before, from its beginning.
// A body that was cut is kept with its error.
func keep(resp *http.Response) (whole bool) {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKept+1))
	if len(text) > maxKept {
		resp.Body = &joined{Reader: rejoin(text, err, resp.Body), Closer: resp.Body}
		return false
	}
	resp.Body.Close()
	resp.Body = &joined{Reader: rejoin(text, err, http.NoBody), Closer: http.NoBody}
	return true
}

// A joined body is the text that was read and what follows it.
type joined struct {
	io.Reader
	io.Closer
}

// rejoin returns a reader of head, then of how it ended: the error of its
// reading, or the rest.
func rejoin(head []byte, err error, rest io.Reader) io.Reader {
	if err != nil {
		rest = failing{err}
	}
	return io.MultiReader(bytes.NewReader(head), rest)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
