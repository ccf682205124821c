package audit

import (
	"cmp"
	"hash/maphash"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// Options say what is known of the account. The zero value knows nothing.
type Options struct {
	// Host keeps only the calls to this host, such as "acme.zendesk.com", and
	// those of which the log does not say where they went; "" keeps all.
	Host string
	// Plan is the account's plan, which says its limit where answers do not.
	Plan zendesk.Plan
	// Limit is the account's calls a minute, over whatever else is known; 0 is
	// what answers state, else the plan's.
	Limit int
}

// An Audit takes calls in the order of time and counts what they cost. One
// goroutine uses it. Its memory is bounded.
type Audit struct {
	o        Options
	provider *zendesk.Provider
	request  http.Request // reused for each call's route
	url      url.URL

	traffic   *traffic
	refusals  *refusals
	wastes    []*waste
	watches   []watch
	lifetimes *lifetimes
	written   *written
	spared    int // calls that some finding spares, each once

	elsewhere int
}

// A watch looks for one kind of waste.
type watch interface {
	take(m *moment)
	// end is told that no call follows.
	end()
	memories() []memory
}

// A memory is what is remembered of earlier calls, in bounded room.
type memory interface {
	blind() (b Blind, ok bool)
}

// A moment is one call as the watches see it.
type moment struct {
	*Call
	route  *limit.Route
	path   string // without ".json"
	who    uint64
	url    uint64 // who, path and query in normal form
	get    bool
	ok     bool // answered with 200
	spared bool // some finding spares it already
	audit  *Audit
}

// New returns an audit that has seen nothing.
func New(o Options) *Audit {
	a := &Audit{o: o, provider: zendesk.New(o.Plan)}
	a.request.URL, a.request.Header = &a.url, http.Header{}
	a.traffic, a.written = newTraffic(o), newWritten()
	a.refusals = newRefusals(a.provider)
	// The order matters where one call is wasted in two ways: what is found
	// out late, about several calls at once, stands last.
	a.lifetimes = newLifetimes(a)
	a.watches = []watch{
		newUnchanged(a), a.lifetimes, newReads(a), newWrites(a), newNothing(a), newPolling(a), newFanout(a), newFindOne(a),
	}
	return a
}

// blind lists the memories that were too short.
func (a *Audit) blind() (list []Blind) {
	memories := []memory{a.written.at, a.refusals.counts}
	for _, w := range a.watches {
		memories = append(memories, w.memories()...)
	}
	for _, m := range memories {
		if b, ok := m.blind(); ok {
			list = append(list, b)
		}
	}
	return list
}

// Take counts a call. Calls come in the order in which they began.
func (a *Audit) Take(c *Call) {
	if a.o.Host != "" && c.Host != "" && !sameHost(a.o.Host, c.Host) {
		a.elsewhere++
		return
	}
	m := a.moment(c)
	route := a.provider.Route(&a.request)
	m.route = &route
	a.traffic.take(&m)
	a.refusals.take(&m)
	if m.Sends == 0 || m.Made || m.Status == http.StatusTooManyRequests {
		return // it cost nothing, or gave nothing: its repeat is no waste
	}
	for _, w := range a.watches {
		w.take(&m)
	}
	a.written.take(&m)
}

// moment reads what the watches share out of a call.
func (a *Audit) moment(c *Call) moment {
	m := moment{Call: c, audit: a, get: c.Method == http.MethodGet || c.Method == http.MethodHead, ok: c.Status == http.StatusOK}
	m.path = strings.TrimSuffix(c.Path, ".json")
	if plain, err := url.PathUnescape(m.path); err == nil {
		m.path = plain
	}
	var h maphash.Hash
	h.SetSeed(seed)
	_, _ = h.WriteString(c.Who)
	m.who = h.Sum64()
	_, _ = h.WriteString("\x00" + c.Host + m.path + "?" + sorted(c.Query) + "#" + c.QueryID)
	m.url = h.Sum64()
	a.url = url.URL{Path: m.path, RawQuery: c.Query}
	a.request.Method = c.Method
	a.request.Header["Authorization"] = []string{c.Who}
	return m
}

// sorted puts a query's parameters in order, for clients differ in it.
func sorted(query string) string {
	if !strings.Contains(query, "&") {
		return query
	}
	pairs := strings.Split(query, "&")
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func sameHost(a, b string) bool {
	b, _, _ = strings.Cut(b, ":")
	return strings.EqualFold(a, b)
}

// mix makes a key of two.
func mix(a uint64, text string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	var raw [8]byte
	for i := range raw {
		raw[i] = byte(a >> (8 * i))
	}
	_, _ = h.Write(raw[:])
	_, _ = h.WriteString(text)
	return h.Sum64()
}

// since is the time from then to the call's begin, never negative.
func (m *moment) since(then time.Time) time.Duration { return max(0, m.At.Sub(then)) }

// class is the kind of call: "GET /api/v2/tickets/{id}".
func (m *moment) class() string { return m.route.Class }

// Report sums up what was taken. No call may follow.
func (a *Audit) Report() *Report {
	for _, w := range a.watches {
		w.end()
	}
	a.spared = min(a.spared, a.traffic.sends)
	r := &Report{Host: a.o.Host, OtherHosts: a.elsewhere}
	a.traffic.report(r)
	a.refusals.report(r)
	r.Spared = a.spared
	r.SparedPercent = percent(a.spared, r.Sends)
	for _, w := range a.wastes {
		if w.calls > 0 {
			r.Findings = append(r.Findings, w.finding(r.Sends))
		}
	}
	slices.SortStableFunc(r.Findings, func(x, y Finding) int { return cmp.Compare(y.Calls, x.Calls) })
	r.Blind = a.blind()
	r.Lifetimes = a.lifetimes.table(r.Sends)
	r.Proposal = a.proposal(r)
	r.Settings = settings(&r.Proposal, r.account())
	r.judge()
	return r
}
