package simulator

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A bubble ends only when every goroutine in it has ended: these tests hang and
// fail if a handler outlives its caller.

func TestCallerThatLeavesEndsTheHandler(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault Fault
		after time.Duration
	}{
		{"before the decision", Fault{Delay: time.Hour}, 10 * time.Millisecond},
		{"after the work", Fault{Delay: time.Hour}, 10 * time.Second},
	} {
		simulate(t, Options{Latency: Fixed(200 * time.Millisecond), Faults: []Fault{test.fault}}, func(t *testing.T, s *Simulator, c client) {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), test.after)
			defer cancel()
			_, err := c.try(ctx, "POST", "/api/v2/tickets", oneTicket)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != test.after {
				t.Errorf("%s: %v after %s", test.name, err, time.Since(began))
			}
			synctest.Wait()
			// The account had the request all the same.
			if l := s.Ledger(); l.Sends != 1 || l.Undecided != 0 || l.Changed["ticket create"] != 1 {
				t.Errorf("%s: %d sends, %d undecided, changed %v", test.name, l.Sends, l.Undecided, l.Changed)
			}
		})
	}
}

func TestCallerThatLeavesABodyEndsTheHandler(t *testing.T) {
	const path = "/attachments/token/any?size=10000000"
	for name, leave := range map[string]func(*http.Response, context.CancelFunc){
		"closes":  func(r *http.Response, _ context.CancelFunc) { _ = r.Body.Close() },
		"cancels": func(_ *http.Response, cancel context.CancelFunc) { cancel() },
	} {
		for _, slow := range []time.Duration{0, time.Hour} {
			simulate(t, Options{Faults: []Fault{{SlowBody: slow, Delay: 1}}}, func(t *testing.T, s *Simulator, c client) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, err := c.try(ctx, "GET", path, "")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.CopyN(io.Discard, r.Body, 1000); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				leave(r, cancel)
				synctest.Wait()
				if _, err := r.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
					t.Errorf("%s: reads on with %v", name, err)
				}
				if time.Since(began) != 0 {
					t.Errorf("%s: took %s", name, time.Since(began))
				}
			})
		}
	}
}

// stuck is a request body that never comes.
type stuck struct{ closed chan struct{} }

func (s stuck) Read([]byte) (int, error) { <-s.closed; return 0, errors.New("closed") }
func (s stuck) Close() error             { close(s.closed); return nil }

func TestCallerThatLeavesItsOwnBodyEndsTheHandler(t *testing.T) {
	simulate(t, Options{}, func(t *testing.T, s *Simulator, c client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "POST", host+"/api/v2/tickets", stuckOnce())
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if l := s.Ledger(); l.Sends != 0 {
			t.Errorf("a request without its body was counted: %+v", l.Requests)
		}
	})
}

func stuckOnce() io.ReadCloser { return &onceCloser{stuck: stuck{make(chan struct{})}} }

// onceCloser closes once, as request bodies may be closed twice.
type onceCloser struct {
	stuck
	done bool
}

func (o *onceCloser) Close() error {
	if o.done {
		return nil
	}
	o.done = true
	return o.stuck.Close()
}

func TestLatencyIsVirtual(t *testing.T) {
	simulate(t, Options{Latency: Fixed(200 * time.Millisecond)}, func(t *testing.T, s *Simulator, c client) {
		until(time.Second)
		began := time.Now()
		c.get("/api/v2/groups")
		if got := time.Since(began); got != 200*time.Millisecond {
			t.Errorf("took %s", got)
		}
		r := s.Ledger().Requests[0]
		if !r.At.Equal(began) || r.Decided.Sub(r.At) != 80*time.Millisecond {
			t.Errorf("arrived %s, decided %s later", r.At, r.Decided.Sub(r.At))
		}
	})
}

func TestAttachmentStreams(t *testing.T) {
	simulate(t, Options{}, func(t *testing.T, s *Simulator, c client) {
		r := c.send("GET", "/attachments/token/any?size=1000000", "")
		first := make([]byte, 100)
		if _, err := io.ReadFull(r.Body, first); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(r.Body)
		if err != nil || len(rest) != 1_000_000-100 || r.ContentLength != 1_000_000 {
			t.Errorf("%d of %d bytes, %v", len(rest), r.ContentLength, err)
		}
	})
}

func TestGzipOnlyWhenAsked(t *testing.T) {
	simulate(t, Options{}, func(t *testing.T, s *Simulator, c client) {
		plain, want := c.get("/api/v2/tickets")
		req, _ := http.NewRequestWithContext(t.Context(), "GET", host+"/api/v2/tickets", nil)
		req.Header.Set("Authorization", "Bearer token")
		req.Header.Set("Accept-Encoding", "gzip, deflate")
		r, err := c.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		wantHeaders(t, plain, "Content-Encoding", "")
		wantHeaders(t, r, "Content-Encoding", "gzip", "Etag", plain.Header.Get("Etag"))
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(unpacked)
		if err != nil || string(got) != want || r.ContentLength >= int64(len(want)) {
			t.Errorf("%d bytes packed, %d unpacked, want %d: %v", r.ContentLength, len(got), len(want), err)
		}
		sum := sha256.Sum256(got)
		wantHeaders(t, r, "Etag", `W/"`+hex.EncodeToString(sum[:])[:32]+`"`)
	})
}

func TestHeadHasNoBody(t *testing.T) {
	simulate(t, Options{}, func(t *testing.T, s *Simulator, c client) {
		get, body := c.get("/api/v2/groups")
		r, none := c.read(c.send("HEAD", "/api/v2/groups", ""))
		if none != "" || r.StatusCode != 200 || r.ContentLength != int64(len(body)) {
			t.Errorf("%d, %q, length %d, want %d", r.StatusCode, none, r.ContentLength, len(body))
		}
		wantHeaders(t, r, "Etag", get.Header.Get("Etag"))
		if got := s.Ledger().Requests[1]; got.Method != "HEAD" {
			t.Errorf("listed as %s", got.Method)
		}
	})
}

func TestTraceHooksAreCalled(t *testing.T) {
	simulate(t, Options{}, func(t *testing.T, s *Simulator, c client) {
		var seen []string
		trace := &httptrace.ClientTrace{
			GetConn:              func(string) { seen = append(seen, "get") },
			GotConn:              func(httptrace.GotConnInfo) { seen = append(seen, "got") },
			WroteRequest:         func(httptrace.WroteRequestInfo) { seen = append(seen, "wrote") },
			GotFirstResponseByte: func() { seen = append(seen, "first byte") },
		}
		r, err := c.try(httptrace.WithClientTrace(t.Context(), trace), "GET", "/api/v2/groups", "")
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if got := strings.Join(seen, ", "); got != "get, got, wrote, first byte" {
			t.Error(got)
		}
	})
}

func TestEndlessRequestBodyIsRefused(t *testing.T) {
	simulate(t, Options{}, func(t *testing.T, s *Simulator, c client) {
		endless := io.LimitReader(zeros{}, maxBody+1)
		req, _ := http.NewRequestWithContext(t.Context(), "POST", host+"/api/v2/uploads?filename=a", endless)
		if _, err := c.RoundTrip(req); err == nil || !strings.Contains(err.Error(), "64 MiB") {
			t.Errorf("%v", err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestUploadComesBack(t *testing.T) {
	simulate(t, Options{}, func(t *testing.T, s *Simulator, c client) {
		want := bytes.Repeat([]byte("0123456789"), 1000)
		r, body := c.read(c.send("POST", "/api/v2/uploads?filename=a.txt", string(want)))
		if r.StatusCode != 201 {
			t.Fatalf("%d %s", r.StatusCode, body)
		}
		_, rest, _ := strings.Cut(body, `"content_url":"`+host)
		path, _, _ := strings.Cut(rest, `"`)
		if _, got := c.get(path); got != string(want) {
			t.Errorf("%s came back as %d bytes", path, len(got))
		}
	})
}

func TestCallerThatHasLeftSendsNothing(t *testing.T) {
	simulate(t, Options{}, func(t *testing.T, s *Simulator, c client) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.try(ctx, "POST", "/api/v2/tickets", oneTicket); !errors.Is(err, context.Canceled) || s.Ledger().Sends != 0 {
			t.Errorf("%v, %d sends", err, s.Ledger().Sends)
		}
	})
}

func TestGzipRefusedByWeight(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "gzip": true, "br, gzip;q=0.5": true, "gzip; q=0": false, "gzip;q=0.0, br": false, "identity": false,
	} {
		if got := takesGzip(http.Header{"Accept-Encoding": {value}}); got != want {
			t.Errorf("%q: %t", value, got)
		}
	}
}
