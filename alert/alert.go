package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// The defaults of [Options].
const (
	DefaultOver    = 0.9
	DefaultWindows = 3
	DefaultOthers  = 0.5
	DefaultQuiet   = 10 * time.Minute
)

// maxWaiting bounds the messages that wait for the webhook.
const maxWaiting = 64

// ErrWebhook says that [Options] have a webhook that cannot be posted to. It
// does not cite it.
var ErrWebhook = errors.New("alert.Webhook: it is not a URL such as https://hooks.example.com/abc")

// Options says what is worth an alert, and who is told. Webhook and Snapshot
// are required.
type Options struct {
	// Webhook is the URL that messages are posted to. It may hold a secret, and
	// is never logged.
	Webhook string
	// Snapshot returns the account's buckets now. It is called every second and
	// must not block.
	Snapshot func() limit.Snapshot
	// Over is the share of a limit that is near it, above 0 and up to 1;
	// default 0.9. Others is the share that others may take; default 0.5.
	Over, Others float64
	// Windows is how many windows in a row that has to last; default 3.
	Windows int
	// Quiet is how long after an alert about refused calls the next one may
	// come; it has the calls refused meanwhile. Default 10 min.
	Quiet time.Duration
	// Client posts; default one that gives up after 10 s.
	Client *http.Client
	// Log is told, at most once a minute, of messages that did not arrive.
	Log *slog.Logger
}

// A Message is the JSON that is posted. Text alone says it all, under the name
// that Slack, Mattermost and their like show.
type Message struct {
	Text    string    `json:"text"`
	Alert   string    `json:"alert"` // near-limit, others or refused
	State   string    `json:"state"` // firing or resolved
	At      time.Time `json:"at"`
	Account string    `json:"account"`
	Bucket  string    `json:"bucket,omitempty"`
	Client  string    `json:"client,omitempty"`
	Limit   int       `json:"limit,omitempty"`
	Used    int       `json:"used,omitempty"`    // of the limit, by anyone
	Others  int       `json:"others,omitempty"`  // of that by others, estimated
	Windows int       `json:"windows,omitempty"` // in a row
	Calls   int       `json:"calls,omitempty"`   // refused
	Reason  string    `json:"reason,omitempty"`  // of the last one
}

// An Alerter watches and posts on two goroutines of its own. Its methods may
// be called at once.
type Alerter struct {
	o      Options
	mu     sync.Mutex
	watch  watch
	queue  chan Message
	cancel context.CancelFunc
	ended  sync.WaitGroup
	told   time.Time // the last complaint; the poster's own
}

// New returns an alerter that watches once it is started.
func New(o Options) (*Alerter, error) {
	u, err := url.Parse(o.Webhook)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, ErrWebhook
	case o.Snapshot == nil:
		return nil, errors.New("alert.Snapshot: missing; give a flyball.Transport's Snapshot")
	}
	o.Over, o.Others = cmp.Or(o.Over, DefaultOver), cmp.Or(o.Others, DefaultOthers)
	o.Windows, o.Quiet = cmp.Or(o.Windows, DefaultWindows), cmp.Or(o.Quiet, DefaultQuiet)
	if !(o.Over > 0 && o.Over <= 1 && o.Others > 0 && o.Others <= 1) || o.Windows < 1 || o.Quiet < 0 {
		return nil, fmt.Errorf("alert.Options: Over %v and Others %v are shares above 0 and up to 1, Windows %d at least 1, Quiet %s not negative", o.Over, o.Others, o.Windows, o.Quiet)
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Alerter{o: o, watch: newWatch(o), queue: make(chan Message, maxWaiting), cancel: func() {}}, nil
}

// Start begins to watch, once there is a snapshot to be had. It is called once;
// Close the alerter at the end.
func (a *Alerter) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	a.ended.Go(func() { a.look(ctx) })
	a.ended.Go(func() { a.post(ctx) })
}

// Sink returns what notes refused calls; give it to flyball.Options.OnEvent.
func (a *Alerter) Sink() event.Sink {
	return func(e event.Event) {
		if e.Kind != event.GaveUp || e.Call == nil {
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.watch.refused(e.Call.Client, string(e.Reason), e.Bucket.String())
	}
}

// Close ends what Start began. Messages that wait are lost.
func (a *Alerter) Close() {
	a.cancel()
	a.ended.Wait()
}

// look judges the account once a second.
func (a *Alerter) look(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		snap := a.o.Snapshot()
		a.mu.Lock()
		messages := a.watch.judge(snap)
		a.mu.Unlock()
		for _, m := range messages {
			select {
			case a.queue <- m:
			default: // the webhook is stuck, and the log says so
			}
		}
	}
}
