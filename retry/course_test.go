package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/retry"
)

// A rough transport plays random answers and treats request bodies in every
// way the contract of RoundTrip allows.
type rough struct {
	*rand.Rand
	want     string
	sends    int
	open     atomic.Int32 // answers' bodies not closed
	partial  atomic.Int32 // bodies that were read to their end and were not whole
	abort    bool         // may panic
	lastBody string
}

func (r *rough) RoundTrip(req *http.Request) (*http.Response, error) {
	r.sends++
	if req.GetBody != nil {
		r.partial.Add(1)
	}
	if req.Body != nil {
		r.consume(req.Body)
	}
	switch n := r.IntN(12); n {
	case 0:
		return nil, errCut
	case 1:
		return nil, errDial
	case 2:
		return nil, &limit.WaitError{Reason: limit.Paused}
	case 3:
		if r.abort {
			panic(http.ErrAbortHandler)
		}
		return nil, io.ErrUnexpectedEOF
	case 4:
		select {
		case <-time.After(time.Duration(r.IntN(40)) * time.Second):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
		return nil, errCut
	default:
		status := []int{429, 429, 429, 500, 503, 503, 200}[n-5]
		body := []string{"", "slow down", "too many", "never", "no limit", strings.Repeat("z", 65<<10)}[r.IntN(6)]
		r.lastBody = body
		resp, err := answers(status, body)(req)
		resp.ContentLength = -1
		r.open.Add(1)
		var src io.Reader = resp.Body
		if r.IntN(4) == 0 {
			src = io.MultiReader(src, cutReader{})
			r.lastBody = "cut"
		}
		resp.Body = &watched{ReadCloser: io.NopCloser(src), closed: func() { r.open.Add(-1) }}
		return resp, err
	}
}

type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, errCut }

func (r *rough) consume(body io.ReadCloser) {
	whole := func(wait time.Duration) {
		defer body.Close()
		time.Sleep(wait)
		// An attempt that has failed may be cut off; what ends must be whole.
		if b, err := io.ReadAll(body); err == nil && string(b) != r.want {
			r.partial.Add(1)
		}
	}
	switch r.IntN(5) {
	case 0: // the transport is done before it began
		body.Close()
	case 1: // in the middle
		_, _ = io.ReadFull(body, make([]byte, len(r.want)/2))
		body.Close()
		body.Close()
	case 2: // after its RoundTrip returned, maybe long after
		go whole(time.Duration(r.IntN(60)) * time.Second)
	default:
		whole(0)
	}
}

// Behaviour I7: whatever happens, answers not handed over are closed, the caller's body is closed, nothing is left.
func TestNothingIsLeftBehind(t *testing.T) {
	for seed := range uint64(1500) {
		synctest.Test(t, func(t *testing.T) {
			if err := leavesNothing(t, seed, retry.New); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		})
	}
	failed := false
	for seed := range uint64(50) { // the twin closes neither answers nor bodies
		synctest.Test(t, func(t *testing.T) {
			failed = leavesNothing(t, seed, func(retry.Options) func(http.RoundTripper) http.RoundTripper {
				return func(next http.RoundTripper) http.RoundTripper {
					return trips(func(req *http.Request) (*http.Response, error) {
						b, _ := io.ReadAll(req.Body)
						for {
							r := req.Clone(req.Context())
							r.Body = io.NopCloser(bytes.NewReader(b))
							if resp, err := next.RoundTrip(r); err != nil || resp.StatusCode != 429 {
								return resp, err
							}
						}
					})
				}
			}) != nil || failed
		})
	}
	if !failed {
		t.Error("the check holds for the faulty twin too")
	}
}

func leavesNothing(t *testing.T, seed uint64, build func(retry.Options) func(http.RoundTripper) http.RoundTripper) error {
	r := rand.New(rand.NewPCG(seed, 7))
	dir := t.TempDir()
	below := &rough{Rand: r, want: strings.Repeat("b", 1+r.IntN(5000)), abort: r.IntN(3) == 0}
	rt := build(retry.Options{
		Provider: provider{}, TempDir: dir,
		BodyMemory: int64(1 + r.IntN(4000)), MemoryBudget: int64(1 + r.IntN(5000)), DiskBudget: int64(r.IntN(80_000)),
	})(below)

	call := &limit.Call{NoWait: r.IntN(8) == 0, Route: limit.Route{IdempotencyKeys: r.IntN(2) == 0}}
	if r.IntN(3) == 0 {
		call.Deadline = time.Now().Add(time.Duration(r.IntN(10)) * time.Second)
	}
	ctx, cancel := context.WithCancel(limit.WithCall(t.Context(), call))
	defer cancel()
	if r.IntN(3) == 0 {
		time.AfterFunc(time.Duration(r.IntN(5000))*time.Millisecond, cancel)
	}
	method := []string{"POST", "PUT", "DELETE", "GET"}[r.IntN(4)]
	req, err := http.NewRequestWithContext(ctx, method, "https://acme.zendesk.com/api/v2/tickets", nil)
	if err != nil {
		return err
	}
	var bodies, closes atomic.Int32
	body := func() io.ReadCloser {
		bodies.Add(1)
		return &watched{ReadCloser: io.NopCloser(strings.NewReader(below.want)), closed: func() { closes.Add(1) }}
	}
	req.Body, req.ContentLength = body(), -1
	if r.IntN(2) == 0 {
		req.ContentLength = int64(len(below.want))
	}
	if r.IntN(3) == 0 {
		req.GetBody = func() (io.ReadCloser, error) { return body(), nil }
	}
	before := fmt.Sprint(req.Header, req.ContentLength, req.GetBody == nil)

	err = finishes(rt, req, below)
	cancel()
	time.Sleep(time.Hour) // transports finish with their bodies
	synctest.Wait()
	switch left, _ := os.ReadDir(dir); {
	case err != nil:
		return err
	case below.open.Load() != 0:
		return fmt.Errorf("%d answers left open", below.open.Load())
	case bodies.Load() != closes.Load():
		return fmt.Errorf("%d bodies were closed %d times", bodies.Load(), closes.Load())
	case below.partial.Load() != 0:
		return errors.New("a body that was not whole, or could be resent below, was sent")
	case below.sends > 10:
		return fmt.Errorf("%d sends", below.sends)
	case len(left) != 0:
		return fmt.Errorf("%d files left", len(left))
	case fmt.Sprint(req.Header, req.ContentLength, req.GetBody == nil) != before:
		return errors.New("the caller's request was changed")
	}
	if m, d := retry.Used(rt); m != 0 || d != 0 {
		return fmt.Errorf("%d bytes of memory and %d of disk still taken", m, d)
	}
	return nil
}

// finishes makes the call, lets an abort through and closes the answer.
func finishes(rt http.RoundTripper, req *http.Request, below *rough) (err error) {
	defer func() {
		if v := recover(); v != nil && v != any(http.ErrAbortHandler) {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	resp, err := rt.RoundTrip(req)
	if err != nil {
		if resp != nil {
			return errors.New("an answer and an error")
		}
		return nil
	}
	got, readErr := io.ReadAll(resp.Body)
	resp.Body.Close()
	if readErr == nil && below.lastBody != "cut" && resp.StatusCode == 200 && string(got) != below.lastBody {
		return errors.New("not the server's answer")
	}
	return nil
}

// A caller who leaves while the call sleeps is gone at once.
func TestSleepingCallEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := &wire{steps: []step{answers(503, "", "Retry-After", "30")}}
		ctx, cancel := context.WithCancelCause(limit.WithCall(t.Context(), &limit.Call{}))
		time.AfterFunc(time.Second, func() { cancel(errors.New("hung up")) })
		start := time.Now()
		_, err := ours(retry.Options{})(below).RoundTrip(requestIn(t, ctx, "GET", ""))
		if !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("err = %v after %v, want cancelled after 1s", err, time.Since(start))
		}
	})
}

// A call that ended while it was on the wire is not said to be repeated.
func TestEndedCallIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(limit.WithCall(t.Context(), &limit.Call{}))
		below := &wire{steps: []step{func(*http.Request) (*http.Response, error) {
			cancel()
			return nil, errCut
		}}}
		told := 0
		l := ours(retry.Options{Sink: func(event.Event) { told++ }})
		_, err := l(below).RoundTrip(requestIn(t, ctx, "GET", ""))
		if !errors.Is(err, errCut) || told != 0 || below.count() != 1 {
			t.Errorf("err = %v after %d sends and %d events, want the transport's after 1 and 0", err, below.count(), told)
		}
	})
}

// An abort passes, and what the aborted attempt held is given back even when
// the transport below forgot it.
func TestAbortPasses(t *testing.T) {
	for _, o := range []retry.Options{{}, {BodyMemory: -1}, {BodyMemory: -1, DiskBudget: -1}} {
		closes := 0
		rt := ours(o)(trips(func(*http.Request) (*http.Response, error) { panic(http.ErrAbortHandler) }))
		func() {
			defer func() {
				if v := recover(); v != any(http.ErrAbortHandler) {
					t.Errorf("recovered %v, want ErrAbortHandler", v)
				}
			}()
			req, _ := request(t, "POST", "body", limit.Route{})
			req.Body = &watched{ReadCloser: req.Body, closed: func() { closes++ }}
			req.ContentLength = -1
			_, _ = rt.RoundTrip(req)
		}()
		if m, d := retry.Used(rt); closes != 1 || m != 0 || d != 0 {
			t.Errorf("closed %d times, %d bytes of memory and %d of disk still taken; want 1, 0, 0", closes, m, d)
		}
	}
}

// Answers that need no repeat pass as they came: same body, not even read.
func TestFinalAnswersPassUntouched(t *testing.T) {
	for _, status := range []int{200, 204, 304, 404, 409, 422, 500, 501, 505} {
		below := &wire{steps: []step{answers(status, "x")}}
		req, _ := request(t, "POST", "", limit.Route{})
		resp, err := ours(retry.Options{})(below).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := resp.Body.(*watched); !ok || below.open != 1 || below.count() != 1 {
			t.Errorf("%d: body is a %T, %d open, %d sends; want the transport's own", status, resp.Body, below.open, below.count())
		}
		resp.Body.Close()
	}
}

// An answer that was cut and kept is still cut when it is handed back: its
// reader must not take half a body for the whole.
func TestCutAnswerStaysCut(t *testing.T) {
	for _, status := range []int{429, 500} {
		synctest.Test(t, func(t *testing.T) {
			below := &wire{steps: []step{func(req *http.Request) (*http.Response, error) {
				resp, err := answers(status, "")(req)
				resp.Body = io.NopCloser(io.MultiReader(strings.NewReader("half"), cutReader{}, strings.NewReader("more")))
				return resp, err
			}, fails(&limit.WaitError{})}}
			req, _ := request(t, "GET", "", limit.Route{})
			resp, err := ours(retry.Options{})(below).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); string(got) != "half" || !errors.Is(err, errCut) {
				t.Errorf("%d: body = %q, %v; want half of it and the cut", status, got, err)
			}
		})
	}
}

// A fault that is not repeated streams: nobody waits for its end.
func TestUnrepeatedFaultStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, writer := io.Pipe()
		go func() {
			_, _ = writer.Write(make([]byte, 10_000))
			time.Sleep(time.Hour)
			writer.Close()
		}()
		below := &wire{steps: []step{func(req *http.Request) (*http.Response, error) {
			resp, err := answers(503, "")(req)
			resp.Body = body
			return resp, err
		}}}
		start := time.Now()
		req, _ := request(t, "POST", "{}", limit.Route{})
		resp, err := ours(retry.Options{})(below).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the answer came after %v, want at once", took)
		}
		if got := text(t, resp); len(got) != 10_000 {
			t.Errorf("%d bytes, want 10000", len(got))
		}
	})
}

func TestRequestWithoutCallPassesUntouched(t *testing.T) {
	below := &wire{steps: []step{answers(429, "x")}}
	req := requestIn(t, t.Context(), "POST", "body")
	resp, err := ours(retry.Options{})(below).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if below.sends[0].req != req || below.count() != 1 {
		t.Errorf("the request was touched or sent %d times", below.count())
	}
}

func BenchmarkLayer(b *testing.B) {
	resp := &http.Response{StatusCode: 200, Body: http.NoBody}
	next := trips(func(*http.Request) (*http.Response, error) { return resp, nil })
	ctx := limit.WithCall(b.Context(), &limit.Call{})
	for name, rt := range map[string]http.RoundTripper{"without": next, "with": ours(retry.Options{})(next)} {
		b.Run(name, func(b *testing.B) {
			req := requestIn(b, ctx, "GET", "")
			b.ReportAllocs()
			for b.Loop() {
				_, _ = rt.RoundTrip(req)
			}
		})
	}
}

func BenchmarkSmallPost(b *testing.B) {
	resp := &http.Response{StatusCode: 200, Body: http.NoBody}
	rt := ours(retry.Options{})(trips(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
		return resp, nil
	}))
	ctx := limit.WithCall(b.Context(), &limit.Call{})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = rt.RoundTrip(requestIn(b, ctx, "POST", `{"ticket":{"status":"open"}}`))
	}
}
