package links

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// reader is a body under test: bytes in, bytes out.
type reader func(upstream io.Reader) io.Reader

func ours(t *testing.T, mode Mode) reader {
	return func(upstream io.Reader) io.Reader {
		resp := answer(upstream)
		if err := rewriter(t, mode).Response(resp); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp.Body
	}
}

// held is a twin that waits for the whole page.
func held(upstream io.Reader) io.Reader { return &late{upstream: upstream} }

type late struct {
	upstream io.Reader
	text     io.Reader
}

func (l *late) Read(p []byte) (int, error) {
	if l.text == nil {
		text, err := io.ReadAll(l.upstream)
		if err != nil {
			return 0, err
		}
		l.text = bytes.NewReader(text)
	}
	return l.text.Read(p)
}

// lagging gives text in pieces and notes how far behind its reader is.
type lagging struct {
	pieces
	given, taken, worst int
}

func (l *lagging) Read(p []byte) (int, error) {
	l.worst = max(l.worst, l.given-l.taken)
	n, err := l.pieces.Read(p)
	l.given += n
	return n, err
}

// checkStreams reports a reader that holds back more than a link's prefix.
func checkStreams(body reader) error {
	const prefix = len(`https://acme.zendesk.com:443/api/`)
	long := strings.Repeat("x", 200<<10)
	for name, doc := range map[string]string{
		"long text":          `{"tickets":[{"description":"` + long + `"}]}`,
		"long link":          `{"next_page":"https://other.example/` + long + `"}`,
		"escapes":            `{"next_page":"` + strings.Repeat(`\u0068\"`, 20<<10) + `"}`,
		"backslashes":        `{"tickets":["` + strings.Repeat(`\\`, 100<<10) + `"]}`,
		"long key":           `{"` + long + `":1}`,
		"a string, no end":   `{"next_page":"` + long,
		"nesting, no end":    strings.Repeat(`{"links":[`, 20<<10),
		"space":              `{"next_page":` + strings.Repeat(" ", 100<<10),
		"half links forever": `{"links":{` + strings.Repeat(`"next":"https://acme.zendesk.com/ap","next":"https:\/\/acme.zendesk.com:44",`, 1000),
	} {
		src := &lagging{pieces: pieces{text: doc, size: 100}}
		r := body(src)
		p := make([]byte, 512)
		for {
			n, err := r.Read(p)
			src.taken += n
			if err == io.EOF {
				break
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if src.worst > 6*prefix {
			return fmt.Errorf("%s: %d bytes were held back", name, src.worst)
		}
		if src.taken != len(doc) {
			return fmt.Errorf("%s: %d bytes of %d came", name, src.taken, len(doc))
		}
	}
	return nil
}

// Behaviour C6: a body streams past the link filter, whatever it holds.
func TestNoMoreThanALinkPrefixIsHeldBack(t *testing.T) {
	for _, mode := range []Mode{Navigation, All} {
		if err := checkStreams(ours(t, mode)); err != nil {
			t.Errorf("mode %s: %v", mode, err)
		}
	}
	if checkStreams(held) == nil {
		t.Error("the check does not notice a twin that waits for the whole page")
	}
}

func TestHostileNestingTakesNoMemory(t *testing.T) {
	for _, mode := range []Mode{Navigation, All} {
		for _, unit := range []string{`[`, `{"a":`, `{"links":`, `{"links":{"next":[`, `[{"next":"https://acme.zendesk.com/ap`} {
			var s scanner
			s.reset(rewriter(t, mode))
			deep := []byte(strings.Repeat(unit, 1000))
			allocs := testing.AllocsPerRun(1000, func() { s.filtered(deep) })
			if allocs > 0 || cap(s.held) > 6*s.r.longest {
				t.Errorf("mode %s, a million of %s: %v allocations a chunk, %d bytes held", mode, unit, allocs, cap(s.held))
			}
		}
	}
}

var errCut = errors.New("connection reset by peer")

func TestTheUpstreamsErrorComesAfterItsBytes(t *testing.T) {
	for _, cut := range []int{0, 5, 30, 75, 90, len(page)} {
		for _, size := range []int{1, 7, 4096} {
			resp := answer(&pieces{text: page[:cut], size: size, err: errCut})
			if err := rewriter(t, Navigation).Response(resp); err != nil {
				t.Fatal(err)
			}
			got, err := readPieces(resp.Body, size)
			want := through(t, rewriter(t, Navigation), page[:cut], 4096)
			if got != want || !errors.Is(err, errCut) {
				t.Errorf("cut at %d, in pieces of %d: got %q, %v; want %q, %v", cut, size, got, err, want, errCut)
			}
			_ = resp.Body.Close()
		}
	}
}

// closing counts how often it is closed.
type closing struct {
	io.Reader
	n   int
	err error
}

func (c *closing) Close() error { c.n++; return c.err }

func TestClosingClosesTheUpstreamsBody(t *testing.T) {
	for _, encoding := range []string{"", "gzip"} {
		src := &closing{Reader: strings.NewReader(zipped(t, page)), err: errCut}
		resp := answer(nil)
		resp.Body = src
		resp.Header.Set("Content-Encoding", encoding)
		if err := rewriter(t, Navigation).Response(resp); err != nil {
			t.Fatal(err)
		}
		if _, err := resp.Body.Read(make([]byte, 3)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := resp.Body.Close(); !errors.Is(err, errCut) {
				t.Errorf("closing gives %v, want the upstream's %v", err, errCut)
			}
		}
		if _, err := resp.Body.Read(make([]byte, 3)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("reading a closed body gives %v", err)
		}
		if src.n != 2 {
			t.Errorf("the upstream's body was closed %d times, want each time", src.n)
		}
	}
}

// TestABodyClosedInTheMiddleLeavesNothingBehind reuses what other answers, cut
// and closed at any point, put back into the pools.
func TestABodyClosedInTheMiddleLeavesNothingBehind(t *testing.T) {
	r := rewriter(t, Navigation)
	for _, packed := range []bool{false, true} {
		for cut := 0; cut < len(pageDone); cut += 5 {
			for _, n := range []int{cut, -1} {
				text, want := page, pageDone
				resp := answer(nil)
				if packed {
					text = zipped(t, page)
					resp.Header.Set("Content-Encoding", "gzip")
				}
				resp.Body = io.NopCloser(&pieces{text: text, size: 13})
				if err := r.Response(resp); err != nil {
					t.Fatal(err)
				}
				if n >= 0 {
					_, _ = io.CopyN(io.Discard, resp.Body, int64(n))
				} else {
					got, err := io.ReadAll(resp.Body)
					if err != nil {
						t.Fatal(err)
					}
					if packed {
						got = []byte(unzipped(t, string(got)))
					}
					if string(got) != want {
						t.Fatalf("after a body closed at %d: got %q", cut, got)
					}
				}
				_ = resp.Body.Close()
			}
		}
	}
}

func TestABodyMayBeClosedWhileItIsRead(t *testing.T) {
	r := rewriter(t, Navigation)
	for i := range 200 {
		from, to := io.Pipe()
		resp := answer(nil)
		resp.Body = from
		text := page
		if i%2 == 0 {
			resp.Header.Set("Content-Encoding", "gzip")
			text = zipped(t, page)
		}
		if err := r.Response(resp); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(func() { _, _ = io.Copy(io.Discard, resp.Body) })
		both.Go(func() { _, _ = to.Write([]byte(text[:len(text)/2])); _ = resp.Body.Close() })
		both.Wait()
	}
}
