package e2e

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// callers are who calls in a rush; each has calls of every kind.
var callers = []string{"crm", "warehouse", "macros", "night sync"}

// A rush is what many clients see who call at once. What a client that leaves
// sees depends on whether the answer was on its way; all else is certain.
type rush struct {
	mu       sync.Mutex
	calls    int
	byClient map[string]int
	left     int            // calls whose clients left before an answer began
	cut      int            // calls whose clients left in the middle of an answer
	byStatus map[int]int    // answers that began
	refused  map[string]int // of them, those of flyball itself, by why
	turned   map[string]int // the same by client
	bytes    int64          // read of answers' bodies
	largest  int64          // of them
}

// rushes makes calls of every kind, as internal/rehearsal draws them, from many
// workers at once, and returns when the last has ended.
func rushes(t *testing.T, base string, users []string, seed uint64, calls int) *rush {
	t.Helper()
	seen := &rush{byClient: map[string]int{}, byStatus: map[int]int{}, refused: map[string]int{}, turned: map[string]int{}}
	const workers = 64
	transport := &http.Transport{MaxIdleConnsPerHost: workers, DisableCompression: true} // bytes are counted as they come
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	var next atomic.Int64
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for i := int(next.Add(1)) - 1; i < calls && !t.Failed(); i = int(next.Add(1)) - 1 {
				seen.call(t, client, draw(t, random, base, users, i), random)
			}
		})
	}
	all.Wait()
	return seen
}

// draw makes the i-th call.
func draw(t *testing.T, random *rand.Rand, base string, users []string, i int) *http.Request {
	method, path, body := http.MethodGet, "", ""
	header := http.Header{"Authorization": {"Bearer secret-of-the-rush"}, "Flyball-Client": {callers[random.IntN(len(callers))]}}
	switch kind := random.IntN(20); {
	case kind < 8: // read again and again: hits and joins
		path = fmt.Sprintf("/api/v2/tickets/%d.json", 1+random.IntN(20))
	case kind < 12: // read with others: merged
		path = fmt.Sprintf("/api/v2/users/%s.json", users[random.IntN(len(users))])
		header.Set("Flyball-Batch", "allow")
	case kind < 13: // written with others: jobs
		method, path = http.MethodPut, fmt.Sprintf("/api/v2/tickets/%d.json", 21+random.IntN(300))
		body = fmt.Sprintf(`{"ticket":{"priority":%q}}`, []string{"low", "normal", "high"}[random.IntN(3)])
		header.Set("Flyball-Batch", "allow")
	case kind < 15:
		path = fmt.Sprintf("/api/v2/search.json?query=status%%3Aopen&page=%d", 1+i%7)
		header.Set("Flyball-Class", "interactive")
	case kind < 16: // most change nothing
		method, path, body = http.MethodPut, fmt.Sprintf("/api/v2/tickets/%d.json", 321+random.IntN(10)), `{"ticket":{"subject":"the same"}}`
	case kind < 17:
		path = fmt.Sprintf("/api/v2/users/%s/tickets/requested.json", users[random.IntN(len(users))])
		header.Set("Flyball-Class", "bulk")
	case kind < 18:
		path = "/api/v2/tickets/999999.json" // there is none
	case kind < 19:
		path = "/api/v2/organizations.json"
		header.Set("Prefer", "wait=0")
	default:
		path = "/api/v2/groups.json"
	}
	r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Error(err) // and the call fails for want of a request
		return nil
	}
	if body != "" {
		header.Set("Content-Type", "application/json")
	}
	r.Header = header
	return r
}

// call makes a call and notes what its client sees. One of 25 clients leaves,
// some time after all of its call is on the wire: flyball gets every call.
func (s *rush) call(t *testing.T, client *http.Client, r *http.Request, random *rand.Rand) {
	if r == nil {
		return
	}
	ctx, leave := context.WithCancel(r.Context())
	defer leave()
	hasty := random.IntN(25) == 0
	if hasty {
		patience := time.Duration(1 + random.Int64N(int64(100*time.Millisecond)))
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) {
			time.AfterFunc(patience, leave)
		}})
	}
	resp, err := client.Do(r.WithContext(ctx))
	if err != nil {
		if !hasty {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		s.note(r, nil, 0, false)
		return
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil && !hasty {
		t.Errorf("%s %s: %s, and after %d bytes: %v", r.Method, r.URL, resp.Status, n, err)
	}
	s.note(r, resp, n, err != nil)
}

func (s *rush) note(r *http.Request, resp *http.Response, bytes int64, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := r.Header.Get("Flyball-Client")
	s.calls++
	s.byClient[who]++
	if cut {
		s.cut++
	}
	if resp == nil {
		s.left++
		return
	}
	s.byStatus[resp.StatusCode]++
	s.bytes += bytes
	s.largest = max(s.largest, bytes)
	if why := resp.Header.Get("Flyball-Refused"); why != "" {
		s.refused[why]++
		s.turned[who]++
	}
}
