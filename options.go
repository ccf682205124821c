package flyball

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/elide"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/zendesk"
)

// Options tunes a [Transport]. Account is required; otherwise the zero value
// is the recommended behaviour.
type Options struct {
	// Account is the Zendesk account to govern: "acme", "acme.zendesk.com" or
	// a URL. Requests to other hosts pass untouched.
	Account string
	// Plan is the account's Zendesk plan, such as "enterprise". It is only a
	// first guess, used until answers state the limit; "" guesses the
	// smallest common plan, 200 a minute.
	Plan string
	// Base sends the requests; default a transport like
	// [http.DefaultTransport] with room for 64 idle connections.
	Base http.RoundTripper
	// MaxWaiting bounds the calls held at once; more are refused with a
	// [*WaitError]. Default 10,000.
	MaxWaiting int
	// Retries is how often a call is repeated after a fault (5xx, a broken
	// connection) where that does no harm; default 2, negative none. Calls
	// that Zendesk refused with 429 are sent again besides.
	Retries int
	// BodyMemory is the most bytes of one request's body kept in memory so
	// that it can be sent again; a longer one goes to a temporary file.
	// Default 1 MiB.
	BodyMemory int64
	// Window is the span of the account's limits, for a simulator whose
	// minute is shorter; default one minute.
	Window time.Duration
	// Regulation is what is held back beside what the server's limits demand,
	// such as a number of calls kept free; the zero value adds nothing.
	// [Transport.Regulate] changes it later.
	Regulation Regulation
	// Quotas bounds clients by name (see [WithClient]), until
	// [Transport.Regulate] says otherwise.
	Quotas map[string]Quota
	// Batch tunes how calls are merged; the zero value merges only the calls
	// that allow it (see [WithBatch]).
	Batch Batch
	// Cache answers calls without a send. The zero value keeps nothing, but
	// lets identical GETs in flight share one send.
	Cache cache.Options
	// Elide leaves out writes that change nothing; the zero value none. It
	// does not see what changes the account behind this transport: see its
	// Within.
	Elide elide.Options
	// OnEvent is told what happens to each call. It is called by many
	// goroutines at once and must not block.
	OnEvent event.Sink
}

func (o Options) resolve() (account *url.URL, plan zendesk.Plan, err error) {
	if o.Account == "" {
		return nil, plan, fmt.Errorf(`flyball.Options: Account is empty; name the account, such as "acme" or "https://acme.zendesk.com"`)
	}
	if account, err = zendesk.Account(o.Account); err != nil {
		return nil, plan, fmt.Errorf("flyball.Options: Account: %w", err)
	}
	if o.Plan != "" {
		if plan, err = zendesk.ParsePlan(o.Plan); err != nil {
			return nil, plan, fmt.Errorf("flyball.Options: Plan: %w", err)
		}
	}
	if err := budget.Check(o.Regulation, o.Quotas); err != nil {
		return nil, plan, fmt.Errorf("flyball.Options: %w", err)
	}
	switch {
	case o.MaxWaiting < 0:
		err = fmt.Errorf("flyball.Options: MaxWaiting: %d is negative; 0 means 10,000", o.MaxWaiting)
	case o.Window < 0 || o.Window > 24*time.Hour:
		err = fmt.Errorf("flyball.Options: Window: %s is not between 0 and 24h; 0 means one minute", o.Window)
	}
	return account, plan, err
}
