package observe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/observe"
)

// A stream is a body that tells who reads how much of it.
type stream struct {
	io.Reader
	mu     sync.Mutex
	read   int
	closed int
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read += n
	return n, err
}

func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

// A broken body ends too early.
type broken struct{ io.Reader }

var errBroken = errors.New("the client broke off")

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = errBroken
	}
	return n, err
}

func answered(req *http.Request, status int) *http.Response {
	return &http.Response{
		StatusCode: status, Request: req, ContentLength: -1,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(strings.NewReader(`{"ticket":{"id":1,"subject":"a"}}`)),
	}
}

// However the base reads a body: it gets the bytes as they come, it alone reads
// them, no trial waits for ever, and nothing is kept at the end.
func TestABodyIsTheBasesAlone(t *testing.T) {
	long := `{"ticket":{"subject":"` + strings.Repeat("x", 300<<10) + `"}}`
	all := func(req *http.Request) (*http.Response, error) {
		_, err := io.Copy(io.Discard, req.Body)
		req.Body.Close()
		if err != nil {
			return nil, err
		}
		return answered(req, 200), nil
	}
	for name, c := range map[string]struct {
		body   io.Reader
		length int64
		base   transport
		sends  int // that governing would have made
	}{
		"whole":      {strings.NewReader(`{"ticket":{"subject":"b"}}`), 26, all, 1},
		"by pieces":  {io.MultiReader(strings.NewReader(`{"ticket":`), strings.NewReader(`{"subject":"b"}}`)), -1, all, 1},
		"long":       {strings.NewReader(long), int64(len(long)), all, 1},
		"long, open": {strings.NewReader(long), -1, all, 1},
		"one byte":   {strings.NewReader("7"), 1, all, 1},
		"empty":      {strings.NewReader(""), -1, all, 1},
		"breaks off": {broken{strings.NewReader(`{"ticket":`)}, 26, all, 0},
		"too short":  {strings.NewReader(`{"ticket":`), 26, all, 0},
		"not read": {strings.NewReader(`{"ticket":{"subject":"b"}}`), 26, func(req *http.Request) (*http.Response, error) {
			req.Body.Close()
			return answered(req, 413), nil
		}, 1},
		"read in part": {strings.NewReader(`{"ticket":{"subject":"b"}}`), 26, func(req *http.Request) (*http.Response, error) {
			_, _ = io.ReadFull(req.Body, make([]byte, 5))
			req.Body.Close()
			return answered(req, 413), nil
		}, 1},
		"read after the answer": {strings.NewReader(`{"ticket":{"subject":"b"}}`), 26, func(req *http.Request) (*http.Response, error) {
			go func() { time.Sleep(time.Second); _, _ = io.Copy(io.Discard, req.Body); req.Body.Close() }()
			return answered(req, 200), nil
		}, 1},
		"never closed": {strings.NewReader(`{"ticket":{"subject":"b"}}`), 26, func(req *http.Request) (*http.Response, error) {
			return answered(req, 200), nil
		}, 1},
		"not sent": {strings.NewReader(`{"ticket":{"subject":"b"}}`), 26, func(*http.Request) (*http.Response, error) {
			return nil, errBroken
		}, 2}, // it is a fault like any other, and would be tried again
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				governed := flyball.Options{Account: acme, Elide: elide.Options{Within: time.Hour}}
				watch, err := observe.New(observe.Options{Base: c.base, Govern: governed})
				if err != nil {
					t.Fatal(err)
				}
				defer watch.Close()
				ctx, leave := context.WithCancel(flyball.WithBatch(t.Context()))
				defer leave()
				body := &stream{Reader: c.body}
				req := reading(t, "/api/v2/tickets/1.json").WithContext(ctx)
				req.Method, req.Body, req.ContentLength = http.MethodPut, body, c.length
				req.Header.Set("Content-Type", "application/json")
				began := time.Now()
				resp, err := watch.RoundTrip(req)
				if err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				if time.Since(began) != 0 {
					t.Errorf("it took %s", time.Since(began))
				}
				if strings.HasPrefix(name, "not") && body.read > 0 || name == "read in part" && body.read != 5 {
					t.Errorf("%d bytes were read beside the base", body.read)
				}
				if name == "never closed" {
					leave() // as a server's handler that returns
				}
				time.Sleep(time.Hour)
				r := watch.Report()
				if r.Governed.Calls != 1 || r.Governed.Sends != c.sends || r.Unobserved != 0 {
					t.Errorf("foretold %+v, want 1 call and %d sends", r.Governed, c.sends)
				}
				if watch.RoomLent() != 0 || watch.Left() != 0 {
					t.Errorf("%d bytes and %d records are kept after all", watch.RoomLent(), watch.Left())
				}
			})
		})
	}
}

// A base may ask for the body again; the trial gets that of the last time.
func TestABodyThatIsSentTwiceIsTriedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = `{"ticket":{"subject":"a"}}`
		var got []string
		watch, err := observe.New(observe.Options{
			Govern: flyball.Options{Account: acme, Elide: elide.Options{Within: time.Hour}},
			Base: transport(func(req *http.Request) (*http.Response, error) {
				if req.Body == nil {
					return answered(req, 200), nil
				}
				_, _ = io.ReadFull(req.Body, make([]byte, 9))
				req.Body.Close()
				again, err := req.GetBody()
				if err != nil {
					return nil, err
				}
				read, err := io.ReadAll(again)
				got = append(got, string(read))
				again.Close()
				return answered(req, 200), err
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		read(t, watch, reading(t, "/api/v2/tickets/1.json"))
		time.Sleep(time.Second)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, acme+"/api/v2/tickets/1.json", strings.NewReader(text))
		req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer any"}}
		read(t, watch, req)
		time.Sleep(time.Second)
		if len(got) != 1 || got[0] != text {
			t.Errorf("the base got %q", got)
		}
		// What was read before and written now is the same: it is left out.
		if r := watch.Report(); r.Governed.Saved != 1 || r.Governed.Sends != 1 || watch.RoomLent() != 0 {
			t.Errorf("%+v, %d bytes kept", r.Governed, watch.RoomLent())
		}
	})
}

// Bodies of all trials together have their bound; beyond it calls pass as ever
// and are tried as what is neither merged nor left out.
func TestRoomForBodiesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls, size = 500, 200 << 10
		wait := make(chan struct{})
		watch, err := observe.New(observe.Options{
			Govern: flyball.Options{Account: acme, Elide: elide.Options{Within: time.Hour}},
			Base: transport(func(req *http.Request) (*http.Response, error) {
				n, err := io.Copy(io.Discard, req.Body)
				if n != size {
					err = fmt.Errorf("%d bytes came", n)
				}
				<-wait
				return answered(req, 200), err
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		text := append(bytes.Repeat([]byte(" "), size-26), `{"ticket":{"subject":"b"}}`...)
		var all sync.WaitGroup
		for i := range calls {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, fmt.Sprintf("%s/api/v2/tickets/%d.json", acme, i+1), bytes.NewReader(text))
			req.Header = http.Header{"Content-Type": {"application/json"}}
			all.Go(func() { finish(watch, req) })
		}
		synctest.Wait()
		if lent := watch.RoomLent(); lent > observe.RoomForBodies || lent < observe.RoomForBodies/2 {
			t.Errorf("%d bytes are kept of %d bodies of %d", lent, calls, size)
		}
		close(wait)
		all.Wait()
		time.Sleep(time.Hour)
		if r := watch.Report(); r.Governed.Calls != calls || r.Governed.Sends != calls || watch.RoomLent() != 0 {
			t.Errorf("%+v, %d bytes kept", r.Governed, watch.RoomLent())
		}
	})
}
