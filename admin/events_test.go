package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
	"github.com/flyballhq/flyball/usage"
)

func newHistory(t *testing.T) *usage.History {
	t.Helper()
	h, err := usage.New(usage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// stream runs a stream of events until the test ends.
func stream(t *testing.T) *admin.Events {
	t.Helper()
	snapshot := func() limit.Snapshot { return limit.Snapshot{Account: "acme.zendesk.com"} }
	s := admin.NewEvents(snapshot, newHistory(t), "")
	runs(t, s.Run)
	return s
}

// A screen is a reader that can be made to stop reading.
type screen struct {
	header http.Header
	stuck  chan struct{} // nil reads on; closed goes on reading

	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Header() http.Header { return s.header }
func (s *screen) WriteHeader(int)     {}
func (s *screen) Flush()              {}
func (s *screen) Write(p []byte) (int, error) {
	if s.stuck != nil {
		<-s.stuck
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// told counts the events of a name, and adds up their "events".
func (s *screen) told(name string) (n, events int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for block := range strings.SplitSeq(s.text.String(), "\n\n") {
		data, ok := strings.CutPrefix(block, "event: "+name+"\ndata: ")
		if !ok {
			continue
		}
		var doc struct{ Events int }
		if json.Unmarshal([]byte(data), &doc) == nil {
			n, events = n+1, events+doc.Events
		}
	}
	return n, events
}

func open(t *testing.T, s *admin.Events, stuck chan struct{}) *screen {
	t.Helper()
	w := &screen{header: http.Header{}, stuck: stuck}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	go s.ServeHTTP(w, req)
	return w
}

func refusedOf(client string) event.Event {
	call := &limit.Call{Client: client, Route: limit.Route{Class: "GET /api/v2/tickets/{id}", Service: "support"}}
	return event.Event{Kind: event.Refused, At: time.Now(), Call: call, Status: 429, Bucket: limit.Key{Service: "support", ID: "account"}}
}

func TestASlowReaderStallsNobodyAndIsToldWhatItMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream(t)
		quick, stuck := open(t, s, nil), make(chan struct{})
		slow := open(t, s, stuck)
		synctest.Wait()
		began := time.Now()
		const events = 300
		for range events {
			s.Take(refusedOf("crm"))
			if d := time.Since(began); d > 0 {
				t.Fatalf("telling an event took %s", d)
			}
			time.Sleep(50 * time.Millisecond)
			began = time.Now()
		}
		time.Sleep(time.Second)
		if n, _ := quick.told("call"); n != events {
			t.Errorf("the quick reader was told of %d events, want %d", n, events)
		}
		if n, _ := quick.told("dropped"); n != 0 {
			t.Errorf("the quick reader was told %d times that it missed something", n)
		}
		if n, _ := quick.told("now"); n < 6 {
			t.Errorf("the quick reader was told %d times how things stand, want at least 6", n)
		}
		close(stuck)
		s.Take(refusedOf("crm"))
		time.Sleep(2 * time.Second)
		told, _ := slow.told("call")
		_, missed := slow.told("dropped")
		if missed == 0 || told+missed != events+1 {
			t.Errorf("the slow reader was told of %d events and that it missed %d, want %d together", told, missed, events+1)
		}
	})
}

// Fifty readers, one of them stuck, change a call's p99 by less than 5 %. In
// virtual time work costs nothing: what would show is waiting.
// BenchmarkReaders shows the work.
func TestAStuckReaderHoldsUpNoCall(t *testing.T) {
	p99 := func(readers func(*testing.T, *admin.Events) event.Sink) (p99 time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			s := stream(t)
			d := newDesk(t, simulator.Options{Limit: 2500, Seed: 1, Latency: simulator.LogNormal(180*time.Millisecond, 0.6, 50*time.Millisecond, 500*time.Millisecond)},
				flyball.Options{OnEvent: readers(t, s)})
			took := make([]time.Duration, 2000)
			atOnce(8, len(took), func(i int) {
				began := time.Now()
				if _, err := d.call(t.Context(), "GET", fmt.Sprintf("/api/v2/users/%d.json", i)); err != nil {
					t.Error(err)
				}
				took[i] = time.Since(began)
			})
			slices.Sort(took)
			p99 = took[len(took)*99/100]
		})
		return p99
	}
	alone := p99(func(_ *testing.T, s *admin.Events) event.Sink { return s.Take })
	read := p99(func(t *testing.T, s *admin.Events) event.Sink {
		for i := range 50 {
			var stuck chan struct{}
			if i == 0 {
				stuck = make(chan struct{})
				t.Cleanup(func() { close(stuck) })
			}
			open(t, s, stuck)
		}
		return s.Take
	})
	if 100*read >= 105*alone {
		t.Errorf("p99 is %s with readers and %s without", read, alone)
	}
	// The twin writes to each reader before it goes on; the stuck one takes
	// something when its deadline has passed.
	twin := p99(func(*testing.T, *admin.Events) event.Sink { return func(event.Event) { time.Sleep(time.Second) } })
	if 100*twin < 105*alone {
		t.Errorf("p99 is %s with the twin and %s without: the check cannot fail", twin, alone)
	}
	t.Logf("p99: %s alone, %s with readers, %s with the twin", alone, read, twin)
}

func TestTooMuchAtOnceIsSkippedAndSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream(t)
		w := open(t, s, nil)
		synctest.Wait()
		for range 5000 {
			s.Take(refusedOf("crm"))
		}
		time.Sleep(time.Second)
		told, _ := w.told("call")
		_, skipped := w.told("skipped")
		if skipped == 0 || told+skipped != 5000 {
			t.Errorf("told of %d and skipped %d, want 5000 together", told, skipped)
		}
	})
}

func TestReadersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream(t)
		for range 64 {
			open(t, s, nil)
		}
		synctest.Wait()
		h := handler(t, admin.Options{Events: s})
		if w := get(t, h, "localhost", "/api/events"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("the 65th reader got %d %s", w.Code, w.Body)
		}
	})
}

// Over a real connection: a reader that takes nothing is cut, one that does is
// served past the server's other bounds, and both end with the server.
func TestAStreamEndsWithTheServer(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := admin.NewEvents(func() limit.Snapshot { return limit.Snapshot{} }, newHistory(t), "")
	s.SetStuck(200 * time.Millisecond)
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	running.Go(func() {
		if err := admin.Serve(ctx, l, handler(t, admin.Options{Events: s})); err != nil {
			t.Error(err)
		}
	})
	stuck, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	fmt.Fprintf(stuck, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")

	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/api/events", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %q", got)
	}
	lines := bufio.NewScanner(resp.Body)
	seen := 0
	for lines.Scan() {
		if lines.Text() == "event: now" {
			if seen++; seen == 2 {
				cancel()
			}
		}
	}
	running.Wait()
	if seen < 2 {
		t.Errorf("told %d times how things stand, want at least 2", seen)
	}
}
