package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/cache/memory"
	"github.com/flyballhq/flyball/gateway"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// A side is one of the demo's two runs: an account of its own, and callers
// that know it under base. It ends with close.
type side struct {
	account *simulator.Simulator
	base    string
	client  *http.Client
	score   score

	transport *flyball.Transport // nil without flyball
	dashboard string             // the address of its dashboard, "" without flyball

	stops []func() // in the order of starting
}

// A setup is what stands between a side's callers and their account.
type setup uint8

const (
	straight setup = iota // nothing
	defaults              // a gateway with default settings
	saving                // one that also keeps and merges
)

// newSide starts an account, and what stands before it.
func newSide(ctx context.Context, o simulator.Options, before setup) (*side, error) {
	s := &side{
		account: simulator.New(o),
		client:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: demoWorkers + 8}},
	}
	l, err := listen(ctx, "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.start(ctx, func(ctx context.Context) error { return serveUntilDone(ctx, l, s.account) })
	s.base = "http://" + l.Addr().String()
	if before != straight {
		err = s.govern(ctx, o.Window, before)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// govern puts a gateway before the account. Only the length of a minute is said
// to it, and what it may keep and merge; it learns the limit from the answers.
func (s *side) govern(ctx context.Context, window time.Duration, before setup) error {
	upstream, err := url.Parse(s.base)
	if err != nil {
		return err
	}
	o := flyball.Options{Account: s.base, Base: gateway.Base(upstream), Window: window}
	if before == saving {
		if err := s.saves(&o); err != nil {
			return err
		}
	}
	seen, err := newSeen(func() limit.Snapshot { return s.transport.Snapshot() })
	if err != nil {
		return err
	}
	o.OnEvent = seen.sink()
	t, err := flyball.New(o)
	if err != nil {
		return err
	}
	s.transport = t
	s.stops = append(s.stops, func() { t.Close(); t.CloseIdleConnections() })
	if err := s.show(ctx, seen); err != nil {
		return err
	}
	g, err := gateway.New(gateway.Options{Upstream: upstream, Transport: t, DrainTimeout: time.Second})
	if err != nil {
		return err
	}
	l, err := listen(ctx, "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.start(ctx, func(ctx context.Context) error { return g.Serve(ctx, l) })
	s.base = "http://" + l.Addr().String()
	return nil
}

// saves makes o keep the definitions that the load reads for one of the
// account's minutes, as "static: on" keeps them for a real one, and merge reads
// and updates of single tickets.
func (s *side) saves(o *flyball.Options) error {
	store, err := memory.New(memory.Options{})
	if err != nil {
		return err
	}
	s.stops = append(s.stops, func() { _ = store.Close() })
	o.Cache.Store = store
	for _, route := range []string{"GET /api/v2/ticket_fields", "GET /api/v2/groups"} {
		o.Cache.Rules = append(o.Cache.Rules, cache.Rule{Route: route, Fresh: o.Window})
	}
	o.Batch.Routes = []string{"GET /api/v2/tickets/{id}", "PUT /api/v2/tickets/{id}"}
	return nil
}

// harm is how many of the others' calls flyball believes to have been refused,
// and false where there is no flyball to ask.
func (s *side) harm() (calls float64, known bool) {
	if s.transport == nil {
		return 0, false
	}
	for _, b := range s.transport.Snapshot().Buckets {
		calls += b.Harm
	}
	return calls, true
}

// saved is what flyball says it has saved, nil without flyball.
func (s *side) saved() []admin.Saving {
	if s.transport == nil {
		return nil
	}
	return admin.NewLimits(s.transport.Snapshot(), "").Saved
}

// start runs serve until the side is closed, even when ctx ended before.
func (s *side) start(ctx context.Context, serve func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = serve(ctx) // what it could not finish is in nobody's figures
	}()
	s.stops = append(s.stops, func() { cancel(); <-ended })
}

// close ends what the side started, the last first.
func (s *side) close() {
	s.client.CloseIdleConnections()
	for len(s.stops) > 0 {
		last := len(s.stops) - 1
		s.stops[last]()
		s.stops = s.stops[:last]
	}
}

// run lets the workers, the export, the wallboards and the person call until
// ctx ends.
func (s *side) run(ctx context.Context, l load) {
	s.score.begin()
	var callers sync.WaitGroup
	var next atomic.Int64
	for range demoWorkers {
		callers.Go(func() {
			for ctx.Err() == nil {
				if _, ok := s.call(ctx, l.at(next.Add(1)-1), "worker"); ok {
					s.score.records(1)
				}
			}
		})
	}
	callers.Go(func() { s.export(ctx) })
	for i := range demoWallboards {
		callers.Go(func() { s.wallboard(ctx, l.phase(i)) })
	}
	callers.Go(func() { s.person(ctx, l) })
	callers.Wait()
}

// export reads all tickets page by page, and begins again at the end.
func (s *side) export(ctx context.Context) {
	path := export
	for ctx.Err() == nil {
		body, ok := s.call(ctx, job{method: http.MethodGet, path: path}, "export")
		if !ok {
			continue
		}
		var page struct {
			Tickets []json.RawMessage `json:"tickets"`
			Meta    struct {
				HasMore bool `json:"has_more"`
			} `json:"meta"`
			Links struct {
				Next string `json:"next"`
			} `json:"links"`
		}
		if json.Unmarshal(body, &page) != nil {
			return
		}
		s.score.records(len(page.Tickets))
		path = export
		if next, err := url.Parse(page.Links.Next); err == nil && page.Meta.HasMore {
			path = next.RequestURI()
		}
	}
}

// wallboard asks for the same again and again.
func (s *side) wallboard(ctx context.Context, wait time.Duration) {
	for pause(ctx, wait) == nil {
		began := time.Now()
		s.call(ctx, poll, "wallboard")
		wait = max(0, pollEvery-time.Since(began))
	}
}

// person clicks now and then, and does not wait for one click to begin the
// next.
func (s *side) person(ctx context.Context, l load) {
	var clicks sync.WaitGroup
	defer clicks.Wait()
	for i := int64(0); ; i++ {
		c := l.click(i)
		if pause(ctx, c.after) != nil {
			return
		}
		clicks.Go(func() { s.call(ctx, c.job, person) })
	}
}

// person names the calls that somebody waits for.
const person = "person"

// call makes one call the way Zendesk's page shows: on a 429 it sleeps for
// Retry-After and calls again, however often. It returns the answer's body, and
// whether the call succeeded before ctx ended.
func (s *side) call(ctx context.Context, j job, who string) ([]byte, bool) {
	began := time.Now()
	defer func() { s.score.took(who, time.Since(began)) }()
	for ctx.Err() == nil {
		status, header, body, err := s.send(ctx, j, who)
		switch {
		case err != nil:
			if ctx.Err() == nil {
				s.score.failed()
			}
			return nil, false
		case status == http.StatusTooManyRequests:
			s.score.refused()
			_ = pause(ctx, retryAfter(header))
		case status >= 300:
			s.score.failed()
			return nil, false
		default:
			s.score.answered()
			return body, true
		}
	}
	return nil, false
}

func (s *side) send(ctx context.Context, j job, who string) (int, http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, j.method, s.base+j.path, strings.NewReader(j.body))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer demo")
	req.Header.Set("User-Agent", "demo-"+who+"/1")
	if j.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, body, err
}

// retryAfter is how long the page's code sleeps.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 1
	}
	return time.Duration(seconds) * time.Second
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
