package cache

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// Options tunes the layer. The zero value keeps nothing and lets identical
// GETs in flight share one send.
type Options struct {
	// Store keeps the answers. It is required with Static or Rules:
	// cache/memory has one in memory, cache/disk one that survives a restart.
	// Several transports may share one. Whoever made it closes it.
	Store Store
	// Static keeps what rarely changes, such as ticket fields, groups and
	// brands, fresh for a minute. A rule for one of these routes goes first.
	Static bool
	// Rules say which routes are kept, and how long. What is on no route of
	// theirs is never kept.
	Rules []Rule
	// NoCoalescing makes each of several identical GETs in flight a send.
	NoCoalescing bool
	// MaxBody is the longest body that is kept or shared, in bytes as it came
	// over the wire; longer ones stream past. Default 1 MiB.
	MaxBody int64
}

// StaticFresh is how long [Options.Static] keeps an answer fresh.
const StaticFresh = time.Minute

const (
	defaultMaxBody = 1 << 20
	// longest bounds a rule's times: what is to be kept for longer is a copy
	// of the account.
	longest = 7 * 24 * time.Hour
)

// A Rule keeps the answers on one route. It overrides the max-age that the
// server states, and for stale answers its must-revalidate; no-store, no-cache
// on a 200, and what the request's Cache-Control says, hold all the same.
type Rule struct {
	// Route is the kind of call, with ids left out:
	// "GET /api/v2/tickets/{id}".
	Route string
	// Fresh is how long an answer is given without asking; 0 leaves it to the
	// max-age that the server states. At most a week.
	Fresh time.Duration
	// StaleWhileLimited is how long after that an answer may still be given,
	// marked as stale, when the limits hold a send back or Zendesk refuses it.
	StaleWhileLimited time.Duration
	// NotFound is how long a 404 is kept; 0 keeps none.
	NotFound time.Duration
}

// Seams are what the layer needs of the rooms around it.
type Seams struct {
	// Account is set before all keys and tags, for a store may serve several.
	Account  string
	Provider limit.Provider // nothing is kept unless it is a [limit.Keeper]
	// Standing says what is left now of the limit that all calls of the
	// route's service draw on; nil is never known.
	Standing func(route *limit.Route) limit.Standing
	Sink     event.Sink
}

// Check reports the first mistake. provider is asked what the routes are.
func (o Options) Check(provider limit.Provider) error {
	if o.MaxBody < 0 {
		return fmt.Errorf("MaxBody: %d is negative; 0 means 1 MiB", o.MaxBody)
	}
	for i, r := range o.Rules {
		if err := r.check(provider); err != nil {
			return fmt.Errorf("Rules[%d]: %w", i, err)
		}
		for _, other := range o.Rules[:i] {
			if other.Route == r.Route {
				return fmt.Errorf("Rules[%d]: Route: %q has a rule already", i, r.Route)
			}
		}
	}
	if !o.keeps() {
		return nil
	}
	if o.Store == nil {
		return fmt.Errorf("Store: nil; rules and Static need one, such as memory.New of flyball/cache/memory")
	}
	if _, ok := provider.(limit.Keeper); !ok {
		return fmt.Errorf("Rules: provider %T does not say what a write changes; leave Rules and Static out", provider)
	}
	return nil
}

func (o Options) keeps() bool { return o.Static || len(o.Rules) > 0 }

func (r Rule) check(provider limit.Provider) error {
	for _, d := range []struct {
		name string
		span time.Duration
	}{{"Fresh", r.Fresh}, {"StaleWhileLimited", r.StaleWhileLimited}, {"NotFound", r.NotFound}} {
		if d.span < 0 || d.span > longest {
			return fmt.Errorf("%s: %s is not between 0 and %s", d.name, d.span, longest)
		}
	}
	return CheckRoute(provider, r.Route)
}

// CheckRoute reports whether route is the class of some GET, and if not which
// one was probably meant.
func CheckRoute(provider limit.Provider, route string) error {
	path, ok := strings.CutPrefix(route, "GET ")
	if !ok || !strings.HasPrefix(path, "/") {
		return fmt.Errorf(`Route: %q is not a GET with its path, such as "GET /api/v2/tickets/{id}"`, route)
	}
	if strings.ContainsAny(path, "?#* ") {
		return fmt.Errorf("Route: %q: a route is a path without a query, and each has a rule of its own", route)
	}
	sample := strings.NewReplacer("{id}", "1", "{locale}", "en-us", "{key}", "key", "{other}", "other").Replace(path)
	class := provider.Route(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: sample}}).Class
	if class != route {
		return fmt.Errorf("Route: %q is no kind of call that is told apart; the nearest is %q", route, class)
	}
	return nil
}

// rules finds a route's rule by its class.
func (o Options) rules(provider limit.Provider) map[string]*Rule {
	if !o.keeps() {
		return nil
	}
	all := map[string]*Rule{}
	if keeper, ok := provider.(limit.Keeper); ok && o.Static {
		for _, class := range keeper.Settled() {
			all[class] = &Rule{Route: class, Fresh: StaticFresh}
		}
	}
	for i := range o.Rules {
		rule := o.Rules[i]
		all[rule.Route] = &rule
	}
	return all
}

func (o Options) withDefaults() Options {
	o.MaxBody = cmp.Or(o.MaxBody, defaultMaxBody)
	return o
}
