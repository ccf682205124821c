package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/retry"
)

// Behaviour I2: below this layer nothing is sent that it did not send: there is no GetBody.
func TestTransportCannotResendByItself(t *testing.T) {
	for name, body := range map[string]func() io.Reader{
		"body that can be had again": func() io.Reader { return strings.NewReader("{}") },
		"body that streams":          func() io.Reader { return io.MultiReader(strings.NewReader("{}")) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := sendsAreSeen(t, ours(retry.Options{}), body); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("twin", func(t *testing.T) {
		bare := func(next http.RoundTripper) http.RoundTripper { return next }
		if sendsAreSeen(t, bare, func() io.Reader { return strings.NewReader("{}") }) == nil {
			t.Error("the check holds for a transport that resends by itself")
		}
	})
}

// sendsAreSeen cuts the second request on a reused connection, after it was
// read, and compares what arrived with what the layer sent.
func sendsAreSeen(t *testing.T, l layer, body func() io.Reader) error {
	var arrived, sent atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if arrived.Add(1) == 2 {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		}
	}))
	defer server.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	rt := l(trips(func(req *http.Request) (*http.Response, error) {
		sent.Add(1)
		return base.RoundTrip(req)
	}))
	for range 2 {
		ctx := limit.WithCall(t.Context(), &limit.Call{Route: limit.Route{IdempotencyKeys: true}})
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, body())
		if err != nil {
			return err
		}
		req.Header.Set("Idempotency-Key", "k")
		resp, err := rt.RoundTrip(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if a, s := arrived.Load(), sent.Load(); a != s || s != 3 {
		return fmt.Errorf("%d requests arrived, %d were sent by the layer, want 3 each", a, s)
	}
	return nil
}

// A client's body that cannot be read to its end is an error, and nothing is
// sent: half a ticket would be worse.
func TestUnreadableBodyIsNotSent(t *testing.T) {
	broken := errors.New("client hung up")
	for name, req := range map[string]struct {
		body   io.Reader
		length int64
		want   string
	}{
		"breaks":              {io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), -1, "client hung up"},
		"breaks in the file":  {io.MultiReader(strings.NewReader(strings.Repeat("x", 5000)), iotest.ErrReader(broken)), -1, "client hung up"},
		"shorter than stated": {strings.NewReader("half"), 8, "4 bytes and Content-Length says 8"},
		"longer than stated":  {strings.NewReader("too much"), 4, "8 bytes and Content-Length says 4"},
		"longer, in the file": {strings.NewReader(strings.Repeat("x", 5000)), 4500, "5000 bytes and Content-Length says 4500"},
	} {
		t.Run(name, func(t *testing.T) {
			below := &wire{steps: []step{answers(200, "")}}
			r, _ := request(t, "POST", "", limit.Route{})
			closes := 0
			r.Body = &watched{ReadCloser: io.NopCloser(req.body), closed: func() { closes++ }}
			r.ContentLength = req.length
			rt := ours(retry.Options{BodyMemory: 1000})(below)
			_, err := rt.RoundTrip(r)
			if err == nil || !strings.Contains(err.Error(), req.want) {
				t.Errorf("err = %v, want %q in it", err, req.want)
			}
			if m, d := retry.Used(rt); below.count() != 0 || closes != 1 || m != 0 || d != 0 {
				t.Errorf("%d sends, %d closes, %d and %d bytes still taken; want 0, 1, 0, 0", below.count(), closes, m, d)
			}
		})
	}
}

// A caller who leaves while its body is read ends the reading.
func TestSlowBodyEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := &wire{steps: []step{answers(200, "")}}
		ctx, cancel := context.WithTimeout(limit.WithCall(t.Context(), &limit.Call{}), time.Minute)
		defer cancel()
		r := requestIn(t, ctx, "POST", "")
		body, writer := io.Pipe()
		defer writer.Close()
		r.Body, r.ContentLength = body, -1
		if _, err := ours(retry.Options{})(below).RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) || below.count() != 0 {
			t.Errorf("err = %v and %d sends, want the deadline and none", err, below.count())
		}
	})
}

// An upload that breaks before a byte of its body left is no doubtful send.
func TestUntouchedBodyMakesACutHarmless(t *testing.T) {
	for _, o := range []retry.Options{{}, {BodyMemory: -1, DiskBudget: -1}} {
		synctest.Test(t, func(t *testing.T) {
			cut := 0
			below := &wire{steps: []step{answers(201, "")}}
			rt := ours(o)(trips(func(req *http.Request) (*http.Response, error) {
				if cut++; cut == 1 {
					req.Body.Close()
					return nil, errors.New("TLS handshake timeout")
				}
				return below.RoundTrip(req)
			}))
			r, _ := request(t, "POST", "whole", limit.Route{})
			resp, err := rt.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := below.sends[0].body; got != "whole" {
				t.Errorf("body = %q, want it whole", got)
			}
		})
	}
}

// A spooled body takes what it is long and no more, its file has no name, and
// it is let go at the end.
func TestSpoolTakesOnlyWhatItKeeps(t *testing.T) {
	for _, tt := range []struct {
		name         string
		size         int
		memory, disk [2]int64 // at least, at most
	}{
		{"small", 100, [2]int64{100, 513}, [2]int64{0, 0}},
		{"large", 60_000, [2]int64{60_000, 65_537}, [2]int64{0, 0}},
		{"in a file", 200_000, [2]int64{0, 0}, [2]int64{200_000, 200_000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var rt http.RoundTripper
			dir := t.TempDir()
			below := trips(func(req *http.Request) (*http.Response, error) {
				m, d := retry.Used(rt)
				if m < tt.memory[0] || m > tt.memory[1] || d < tt.disk[0] || d > tt.disk[1] {
					t.Errorf("%d bytes of memory and %d of disk taken, want %v and %v", m, d, tt.memory, tt.disk)
				}
				if named, err := os.ReadDir(dir); err != nil || len(named) != 0 && runtime.GOOS != "windows" {
					t.Errorf("%d named files, %v; want none", len(named), err)
				}
				req.Body.Close()
				return answers(200, "")(req)
			})
			rt = ours(retry.Options{BodyMemory: 100_000, DiskBudget: 250_000, TempDir: dir})(below)
			req, _ := request(t, "POST", "", limit.Route{})
			req.Body = io.NopCloser(iotest.OneByteReader(strings.NewReader(strings.Repeat("x", tt.size))))
			req.ContentLength = -1
			resp, err := rt.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if m, d := retry.Used(rt); m != 0 || d != 0 {
				t.Errorf("%d bytes of memory and %d of disk are still taken", m, d)
			}
		})
	}
}

// Trailers come after a body of unstated length, and still do.
func TestTrailersPass(t *testing.T) {
	got := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Trailer
	}))
	defer server.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()

	r := requestIn(t, limit.WithCall(t.Context(), &limit.Call{}), "POST", "body")
	r.URL.Scheme, r.URL.Host = "http", server.Listener.Addr().String()
	r.ContentLength, r.Trailer = -1, http.Header{"X-Sum": nil}
	r.Body = &watched{ReadCloser: r.Body, closed: func() { r.Trailer.Set("X-Sum", "42") }}
	resp, err := ours(retry.Options{})(base).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if sum := (<-got).Get("X-Sum"); sum != "42" {
		t.Errorf("trailer = %q, want 42", sum)
	}
}

// The transport may read an attempt's body after its RoundTrip returned, even
// while the next attempt reads its own.
func TestLateReaderStillReadsItsBody(t *testing.T) {
	for _, each := range []int64{1 << 20, 10} {
		synctest.Test(t, func(t *testing.T) {
			want := strings.Repeat("late", 20_000)
			var late sync.WaitGroup
			n := 0
			below := trips(func(req *http.Request) (*http.Response, error) {
				late.Go(func() {
					defer req.Body.Close()
					time.Sleep(time.Minute)
					if b, err := io.ReadAll(req.Body); err != nil || string(b) != want {
						t.Errorf("read %d bytes late, %v; want %d", len(b), err, len(want))
					}
				})
				if n++; n < 3 {
					return answers(429, "slow down")(req)
				}
				return answers(200, "")(req)
			})
			rt := ours(retry.Options{BodyMemory: each, TempDir: t.TempDir()})(below)
			r, _ := request(t, "POST", want, limit.Route{})
			resp, err := rt.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			late.Wait()
			if m, d := retry.Used(rt); m != 0 || d != 0 {
				t.Errorf("%d bytes of memory and %d of disk are still taken", m, d)
			}
		})
	}
}
