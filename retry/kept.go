package retry

import (
	"bytes"
	"io"
	"net/http"
)

// maxKept is the longest body of an unwelcome answer that is kept while the
// call is tried again.
const maxKept = 64 << 10

// tooLong reports whether an answer says that its body is longer than is
// kept. An answer to HEAD states a length and has no body.
func tooLong(method string, resp *http.Response) bool {
	return resp != nil && resp.ContentLength > maxKept && method != http.MethodHead
}

// keep reads resp's body, lets its connection go, and puts what it read in
// its place, so that resp can be handed over later as it came. A body longer
// than maxKept is not whole: resp then streams as before, from its beginning.
// A body that was cut is kept with its error. Keeping twice does nothing more.
func keep(resp *http.Response) (text []byte, whole bool) {
	if k, ok := resp.Body.(*kept); ok {
		return k.text, true
	}
	if l, ok := resp.Body.(*long); ok {
		return l.text, false
	}
	if resp.Body == nil {
		return nil, true
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKept+1))
	if len(text) > maxKept {
		resp.Body = &long{Reader: io.MultiReader(bytes.NewReader(text), resp.Body), Closer: resp.Body, text: text}
		return text, false
	}
	resp.Body.Close()
	resp.Body = &kept{Reader: io.MultiReader(bytes.NewReader(text), failing{err}), text: text}
	return text, true
}

// A kept body has left its connection.
type kept struct {
	io.Reader
	text []byte
}

func (k *kept) Close() error { return nil }

// A failing reader ends a body as it ended: with an error, or with nil as it
// should.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// A long body is still on its connection, but for its beginning.
type long struct {
	io.Reader
	io.Closer
	text []byte
}
