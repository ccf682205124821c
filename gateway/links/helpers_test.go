package links

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

const (
	upstream = "https://acme.zendesk.com"
	gateway  = "http://127.0.0.1:4290"
)

func rewriter(t testing.TB, mode Mode) *Rewriter {
	t.Helper()
	r, err := New([]string{upstream}, gateway, mode)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answer is a JSON answer to a GET by a client that takes gzip.
func answer(body io.Reader) *http.Response {
	return &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		ContentLength: -1,
		Body:          io.NopCloser(body),
		Request: &http.Request{
			Method: http.MethodGet,
			Header: http.Header{"Accept-Encoding": {"gzip, deflate, br"}},
		},
	}
}

// through reads body through a Rewriter, in pieces of at most size bytes on
// both sides.
func through(t testing.TB, r *Rewriter, body string, size int) string {
	t.Helper()
	resp := answer(&pieces{text: body, size: size})
	if err := r.Response(resp); err != nil {
		t.Fatal(err)
	}
	got, err := readPieces(resp.Body, size)
	if err != nil {
		t.Fatalf("read the rewritten body: %v", err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return got
}

// pieces gives text in reads of at most size bytes.
type pieces struct {
	text string
	size int
	err  error // at the end; nil is io.EOF
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.text == "" {
		if p.err != nil {
			return 0, p.err
		}
		return 0, io.EOF
	}
	n := copy(b, p.text[:min(p.size, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}

func readPieces(r io.Reader, size int) (string, error) {
	var b strings.Builder
	p := make([]byte, size)
	for {
		n, err := r.Read(p)
		b.Write(p[:n])
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
	}
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func unzipped(t testing.TB, packed string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
