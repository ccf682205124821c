package replay

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/audit"
)

// origin is the simulated account's.
const origin = "https://replay.zendesk.com"

// mostTries is how often a call is made before its caller gives up.
const mostTries = 10

// A show is one playing of a script.
type show struct {
	to      http.RoundTripper
	ctx     context.Context // only asked whether it ended: it is of another clock
	began   time.Time
	mu      sync.Mutex
	outcome audit.Outcome
	took    []time.Duration
	absent  int // calls on endpoints that the simulator lacks
}

// play lets all callers make their calls, and returns when all are answered.
func (s *show) play(callers []*caller) {
	s.began = time.Now()
	var all sync.WaitGroup
	for _, c := range callers {
		all.Go(func() { s.act(c) })
	}
	all.Wait()
	s.sum()
}

// act makes one caller's calls, each when it was made, or as soon as fewer are
// under way than the caller ever had.
func (s *show) act(c *caller) {
	room := make(chan struct{}, c.at)
	var calls sync.WaitGroup
	for i := range c.steps {
		if s.ctx.Err() != nil {
			break
		}
		time.Sleep(time.Until(s.began.Add(c.steps[i].after)))
		room <- struct{}{}
		calls.Go(func() {
			s.call(c, &c.steps[i])
			<-room
		})
	}
	calls.Wait()
}

// call makes one call until it is answered by something else than 429, waiting
// each time as Retry-After says.
func (s *show) call(c *caller, step *step) {
	wanted := s.began.Add(step.after)
	status := 0
	for range mostTries {
		var wait time.Duration
		if status, wait = s.once(c, step); status != http.StatusTooManyRequests || s.ctx.Err() != nil {
			break
		}
		time.Sleep(wait)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, time.Since(wanted))
	switch status {
	case http.StatusTooManyRequests, 0:
		s.outcome.GaveUp++
	case http.StatusNotImplemented:
		s.absent++
	}
}

// once sends a call; status 0 is no answer.
func (s *show) once(c *caller, step *step) (status int, retryAfter time.Duration) {
	ctx := flyball.WithClient(context.Background(), c.name)
	req, err := http.NewRequestWithContext(ctx, step.method, origin+step.path, strings.NewReader(step.body))
	if err != nil {
		return 0, 0
	}
	if step.body == "" {
		req.Body = http.NoBody
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+c.name)
	resp, err := s.to.RoundTrip(req)
	var held *flyball.WaitError
	switch {
	case errors.As(err, &held):
		return http.StatusTooManyRequests, time.Until(held.RetryAt)
	case err != nil:
		return 0, 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 1
	}
	return resp.StatusCode, time.Duration(seconds) * time.Second
}

// sum works out how long calls took.
func (s *show) sum() {
	slices.Sort(s.took)
	s.outcome.Took = time.Since(s.began)
	if n := len(s.took); n > 0 {
		s.outcome.Median, s.outcome.P99, s.outcome.Slowest = s.took[n/2], s.took[n*99/100], s.took[n-1]
	}
}
