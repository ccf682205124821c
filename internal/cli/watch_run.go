package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/watch"
)

// A watcher makes the calls that its engine asks for, one at a time.
type watcher struct {
	s         Streams
	flags     *watchFlags
	origin    *url.URL
	who       credential
	window    time.Duration
	base      http.RoundTripper
	transport *flyball.Transport
	client    *http.Client
	view      *watchView

	mu     sync.Mutex // of the engine: a send may happen in another goroutine
	engine *watch.Watch

	names  map[uint64]string    // of OAuth clients, by id
	denied map[string]time.Time // paths that are not asked for until then
	saved  int                  // minutes when the state was last saved
	ill    string               // what was last wrong with the account's answers
}

func (w *watcher) close() {
	_ = w.transport.Close()
	if base, ok := w.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// run watches until ctx ends, and then reports.
func (w *watcher) run(ctx context.Context) error {
	if err := w.begin(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		at, ask := w.next()
		if !w.sleep(ctx, at) {
			break
		}
		if w.due(at) {
			w.do(ctx, ask)
		}
	}
	w.tell()
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.save()
	w.view.report(w.engine.Report(time.Now()))
	return err
}

// begin makes the first calls; what is wrong with them is wrong for good.
func (w *watcher) begin(ctx context.Context) error {
	who, err := w.me(ctx)
	if err != nil {
		return err
	}
	w.view.begin(w.who.source, who)
	w.do(ctx, watch.Tokens)
	return nil
}

func (w *watcher) next() (time.Time, watch.Ask) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.engine.Next(time.Now())
}

// due says that the time has come; it may have moved since it was asked for.
func (w *watcher) due(at time.Time) bool { return !time.Now().Before(at) }

// sleep waits for the next call, and tells of the minutes that end meanwhile.
func (w *watcher) sleep(ctx context.Context, until time.Time) bool {
	w.mu.Lock()
	end := w.engine.End()
	w.mu.Unlock()
	if end.Before(until) {
		until = end
	}
	timer := time.NewTimer(max(time.Until(until), 0))
	defer timer.Stop()
	var tick <-chan time.Time
	if w.view.live {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick:
			w.tell()
		case <-timer.C:
			w.tell()
			return true
		}
	}
}

// tell shows what is new, and keeps it.
func (w *watcher) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engine.Advance(time.Now())
	for _, m := range w.engine.Ended() {
		w.view.minute(m)
	}
	for _, spike := range w.engine.Settled() {
		suspects, always := w.engine.Suspects(spike)
		w.view.spike(spike, suspects, always)
	}
	w.view.pulse(w.engine.Now(time.Now()))
	if done := w.engine.State().Watched; done >= w.saved+saveEvery {
		if err := w.save(); err != nil {
			w.view.trouble(err.Error())
		}
	}
}

const saveEvery = 5 // minutes

func (w *watcher) save() error {
	if w.flags.state == "" {
		return nil
	}
	state := w.engine.State()
	w.saved = state.Watched
	if err := saveWatchState(w.flags.state, state); err != nil {
		return fmt.Errorf("--state %s: %w", w.flags.state, err)
	}
	return nil
}

// do makes one ask's calls. What goes wrong is said, and the watch goes on.
func (w *watcher) do(ctx context.Context, ask watch.Ask) {
	w.mu.Lock()
	w.engine.Asking(time.Now(), ask)
	w.mu.Unlock()
	var err error
	if ask == watch.Tokens {
		err = w.look(ctx)
	} else {
		_, err = w.me(ctx)
	}
	switch {
	case err == nil:
		w.ill = ""
	case ctx.Err() != nil:
	default:
		w.mu.Lock()
		defer w.mu.Unlock()
		if text := err.Error(); text != w.ill { // once, not every minute
			w.ill = text
			w.view.trouble(text)
		}
	}
}

// errSpent says that a call would have been one too many.
var errSpent = errors.New("not sent: it would be more than 6 calls in a minute")

// meter is below everything that sends: it counts each send, keeps it from
// being one too many, and reads what its answer says.
type meter struct{ w *watcher }

func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	asked, err := m.leave()
	if err != nil {
		return nil, err
	}
	resp, err := m.w.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	m.w.hear(req, resp, asked, time.Now())
	return resp, nil
}

func (m *meter) leave() (time.Time, error) {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	now := time.Now()
	if m.w.engine.Left(now) == 0 {
		return now, errSpent
	}
	m.w.engine.Sent(now)
	return now, nil
}

// held tells the engine what kept a call from being sent.
func (w *watcher) held(err error) error {
	var wait *flyball.WaitError
	switch {
	case errors.Is(err, errSpent):
		return nil
	case errors.As(err, &wait):
		w.mu.Lock()
		defer w.mu.Unlock()
		w.engine.Held(time.Now(), wait.RetryAt)
		return nil
	}
	return explain(w.origin.Host, err)
}

// firstLine is what a person is shown of an answer: nothing in it reaches a
// terminal as an order.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, line[:min(len(line), 200)])
}
