package links

import (
	"bytes"
	"compress/gzip"
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

// flushing is an upstream that packs and flushes its parts one by one. Before
// it gives the next part it asks how much of the others arrived.
type flushing struct {
	parts   [][]byte
	texts   []string
	current []byte
	arrived func(want string) error
	sent    string
	err     error
}

func newFlushing(t *testing.T, texts []string) *flushing {
	t.Helper()
	f := &flushing{texts: texts}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for i, text := range texts {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		finish := w.Flush
		if i == len(texts)-1 {
			finish = w.Close
		}
		if err := finish(); err != nil {
			t.Fatal(err)
		}
		f.parts = append(f.parts, bytes.Clone(b.Bytes()))
		b.Reset()
	}
	return f
}

func (f *flushing) Read(p []byte) (int, error) {
	if len(f.current) == 0 {
		if len(f.parts) == 0 {
			return 0, io.EOF // the last part was not flushed but ended
		}
		if err := f.arrived(f.sent); err != nil && f.err == nil {
			f.err = err
		}
		f.current, f.sent = f.parts[0], f.sent+f.texts[0]
		f.parts, f.texts = f.parts[1:], f.texts[1:]
	}
	n := copy(p, f.current)
	f.current = f.current[n:]
	return n, nil
}

// checkFlushes reports a reader that keeps what the upstream flushed.
func checkFlushes(t *testing.T, body reader) error {
	big := listing(200 << 10)
	f := newFlushing(t, []string{`{"tickets":[1`, `,2`, `,3],"a":`, big, `,"next_page":"` + upstream + `/api/v2/x`, `"`, `}`})
	var got bytes.Buffer
	f.arrived = func(want string) error {
		want = strings.Replace(want, `next_page":"`+upstream+`/api/v2/x`, `next_page":"`+gateway+`/api/v2/x`, 1)
		if text := unpackedSoFar(got.Bytes()); text != want {
			return fmt.Errorf("of %d bytes that the upstream flushed %d arrived: not %.50q", len(want), len(text), want[min(len(text), len(want)):])
		}
		return nil
	}
	r := body(f)
	p := make([]byte, 1000)
	for {
		n, err := r.Read(p)
		got.Write(p[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	return f.err
}

// unpackedSoFar is what a reader of gzip sees of a part of it.
func unpackedSoFar(packed []byte) string {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return ""
	}
	text, _ := io.ReadAll(r)
	return string(text)
}

// Behaviour I4: gzip is flushed when the upstream flushed, and expands in constant memory.
func TestGzipIsFlushedWhenTheUpstreamFlushed(t *testing.T) {
	packed := func(upstream io.Reader) io.Reader {
		resp := answer(upstream)
		resp.Header.Set("Content-Encoding", "gzip")
		if err := rewriter(t, Navigation).Response(resp); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp.Body
	}
	if err := checkFlushes(t, packed); err != nil {
		t.Error(err)
	}
	if checkFlushes(t, held) == nil {
		t.Error("the check does not notice a twin that waits for the whole page")
	}
	if checkFlushes(t, func(upstream io.Reader) io.Reader { return newUnflushed(t, upstream) }) == nil {
		t.Error("the check does not notice a twin that does not flush")
	}
}

// unflushed is a twin that packs again and leaves flushing to the packer.
type unflushed struct {
	unzip  *gzip.Reader
	scan   scanner
	zip    *gzip.Writer
	packed bytes.Buffer
	src    io.Reader
	err    error
}

func newUnflushed(t *testing.T, upstream io.Reader) io.Reader {
	u := &unflushed{src: upstream}
	u.zip = gzip.NewWriter(&u.packed)
	u.scan.reset(rewriter(t, Navigation))
	return u
}

func (u *unflushed) Read(p []byte) (int, error) {
	if u.unzip == nil {
		if u.unzip, u.err = gzip.NewReader(u.src); u.err != nil {
			return 0, u.err
		}
	}
	chunk := make([]byte, 4096)
	for u.packed.Len() == 0 && u.err == nil {
		var n int
		n, u.err = u.unzip.Read(chunk)
		_, _ = u.zip.Write(u.scan.filtered(chunk[:n]))
		if u.err == io.EOF {
			_ = u.zip.Close()
		}
	}
	if u.packed.Len() == 0 {
		return 0, u.err
	}
	return u.packed.Read(p)
}

func TestAGzipBombTakesConstantMemory(t *testing.T) {
	var bomb bytes.Buffer
	w, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	zeros := make([]byte, 1<<20)
	_, _ = io.WriteString(w, `{"next_page":"`)
	for range 64 {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	for _, accept := range []string{"gzip", "identity"} {
		resp := answer(bytes.NewReader(bomb.Bytes()))
		resp.Header.Set("Content-Encoding", "gzip")
		resp.Request.Header.Set("Accept-Encoding", accept)
		if err := rewriter(t, Navigation).Response(resp); err != nil {
			t.Fatal(err)
		}
		s := resp.Body.(*body).source.(*gzipSource)
		n, err := io.Copy(io.Discard, resp.Body)
		if err != nil || n < 1000 {
			t.Errorf("for %s: %d bytes, %v", accept, n, err)
		}
		if c := cap(s.chunk) + cap(s.packed.b) + cap(s.scan.out) + cap(s.scan.held); c > 4*window {
			t.Errorf("for %s: the buffers grew to %d bytes", accept, c)
		}
		_ = resp.Body.Close()
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

func TestACutGzipBodyPassesAsFarAsItCame(t *testing.T) {
	text := listing(300 << 10)
	packed := zipped(t, text)
	for _, accept := range []string{"gzip", "identity"} {
		for _, end := range []error{nil, errCut} {
			resp := answer(&pieces{text: packed[:len(packed)*2/3], size: 999, err: end})
			resp.Header.Set("Content-Encoding", "gzip")
			resp.Request.Header.Set("Accept-Encoding", accept)
			if err := rewriter(t, Navigation).Response(resp); err != nil {
				t.Fatal(err)
			}
			got, err := readPieces(resp.Body, 4096)
			if accept == "gzip" {
				got = unpackedSoFar([]byte(got))
			}
			want := io.ErrUnexpectedEOF
			if end != nil {
				want = end
			}
			if !errors.Is(err, want) || len(got) < window || !strings.HasPrefix(text, got) {
				t.Errorf("for %s: %d bytes, then %v, want %v", accept, len(got), err, want)
			}
			_ = resp.Body.Close()
		}
	}
}

func TestOddGzipBodies(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
		err              error
	}{
		{"empty", "", "", nil},
		{"one byte", "\x1f", "\x1f", nil},
		{"not gzip", page, page, nil},
		{"a header that ends", "\x1f\x8b\x08\x00", "", io.ErrUnexpectedEOF},
		{"a header of another kind", "\x1f\x8b\x07\x00\x00\x00\x00\x00\x00\x00", "", gzip.ErrHeader},
		{"two members", zipped(t, page[:80]) + zipped(t, page[80:]), pageDone, nil},
		{"a wrong sum", zipped(t, page)[:len(zipped(t, page))-8] + "\x00\x00\x00\x00\x00\x00\x00\x00", pageDone, gzip.ErrChecksum},
	} {
		for _, size := range []int{1, 4096} {
			resp := answer(&pieces{text: c.body, size: size})
			resp.Header.Set("Content-Encoding", "gzip")
			resp.Request.Header.Set("Accept-Encoding", "identity")
			if err := rewriter(t, Navigation).Response(resp); err != nil {
				t.Fatal(err)
			}
			got, err := readPieces(resp.Body, size)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s: got %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
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
		for cut := range len(pageDone) {
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
