package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A load is a number of calls made by workers at once, each with a time-out of
// its own. It counts how they ended.
type load struct {
	workers, calls int
	timeout        time.Duration
	request        func(i int) (method, path, body string)
	obedient       bool // calls again after a 429, when Retry-After says

	mu       sync.Mutex
	answers  map[int]int // by status
	timeouts int
	others   map[string]int // other ends, by error
	slowest  time.Duration
}

// run makes all calls to base.
func (l *load) run(t *testing.T, base string) {
	t.Helper()
	l.answers, l.others = map[int]int{}, map[string]int{}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.Proxy = l.workers, nil
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: l.timeout}
	next := make(chan int)
	var all sync.WaitGroup
	for range l.workers {
		all.Go(func() {
			for i := range next {
				l.call(t.Context(), client, base, i)
			}
		})
	}
	for i := range l.calls {
		next <- i
	}
	close(next)
	all.Wait()
}

// call makes one call, again and again where it is obedient.
func (l *load) call(ctx context.Context, client *http.Client, base string, i int) {
	for {
		began := time.Now()
		status, wait, err := l.send(ctx, client, base, i)
		l.note(status, err, time.Since(began))
		if status != http.StatusTooManyRequests || !l.obedient {
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

func (l *load) send(ctx context.Context, client *http.Client, base string, i int) (status int, wait time.Duration, err error) {
	method, path, body := l.request(i)
	r, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, 0, err
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return resp.StatusCode, time.Duration(seconds) * time.Second, nil
}

func (l *load) note(status int, err error, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest = max(l.slowest, took)
	switch {
	case errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err):
		l.timeouts++
	case err != nil:
		l.others[err.Error()]++
	default:
		l.answers[status]++
	}
}

func (l *load) String() string {
	return fmt.Sprintf("answers by status %v, %d time-outs, %d other errors %v, slowest %v",
		l.answers, l.timeouts, len(l.others), l.others, l.slowest.Round(time.Millisecond))
}
