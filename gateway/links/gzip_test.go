package links

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

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

// Behaviour I4: gzip is flushed when the upstream flushed.
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

// checkBomb reports a reader whose memory grows with what a body expands to.
func checkBomb(t *testing.T, body reader) error {
	t.Helper()
	const megabytes = 16
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	_, _ = io.WriteString(w, `{"next_page":"`)
	for range megabytes {
		_, _ = w.Write(zeros)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := io.Copy(io.Discard, body(&bomb))
	runtime.ReadMemStats(&after)
	if err != nil || n == 0 {
		return fmt.Errorf("%d bytes came, %w", n, err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		return fmt.Errorf("%d MB unpacked took %d bytes", megabytes, grown)
	}
	return nil
}

// Behaviour I4: a body that expands without end streams in constant memory.
func TestAGzipBombTakesConstantMemory(t *testing.T) {
	for _, accept := range []string{"gzip", "identity"} {
		err := checkBomb(t, func(upstream io.Reader) io.Reader {
			resp := answer(upstream)
			resp.Header.Set("Content-Encoding", "gzip")
			resp.Request.Header.Set("Accept-Encoding", accept)
			if err := rewriter(t, Navigation).Response(resp); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = resp.Body.Close() })
			return resp.Body
		})
		if err != nil {
			t.Errorf("for %s: %v", accept, err)
		}
	}
	unpackedWhole := func(upstream io.Reader) io.Reader {
		text, err := gzip.NewReader(upstream)
		if err != nil {
			t.Fatal(err)
		}
		return held(text)
	}
	if checkBomb(t, unpackedWhole) == nil {
		t.Error("the check does not notice a twin that unpacks the whole body")
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
