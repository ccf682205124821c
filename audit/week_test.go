package audit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/flyballhq/flyball/audit"
)

// monday is when the synthetic week begins.
var monday = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// An exchange is one call of the synthetic week, with everything that the
// richest of the logs records.
type exchange struct {
	at           time.Time
	took         time.Duration
	client       string // an e-mail
	method, path string // with its query
	status       int
	etag         string
	size         int64
	header       map[string]string
	sent, body   string
}

// A week is made traffic with known waste in it.
type week struct {
	random         *rand.Rand
	calls          []exchange
	n              int // makes things unique
	found          map[audit.Kind]int
	spared         int // each call once
	causes         map[string]int
	refusedMinutes int
	// tables are the hits of caches of the four lifetimes, and how many of them
	// are outdated.
	hits, outdated [4]int
}

func newWeek(seed uint64) *week {
	return &week{random: rand.New(rand.NewPCG(seed, 1)), found: map[audit.Kind]int{}, causes: map[string]int{}}
}

// unique returns a number never returned before.
func (w *week) unique() int { w.n++; return 1000 + w.n }

// add makes a call that took 120 ms and was answered with a body never seen.
func (w *week) add(at time.Time, client, method, path string) *exchange {
	w.calls = append(w.calls, exchange{
		at: at, took: 120 * time.Millisecond, client: client, method: method, path: path,
		status: 200, etag: fmt.Sprintf(`W/"%032x"`, w.unique()), size: int64(w.unique()),
	})
	return &w.calls[len(w.calls)-1]
}

// clean adds traffic in which no call could be spared: eight clients that each
// call every few minutes, and never the same.
func (w *week) clean() {
	for c := range 8 {
		client := fmt.Sprintf("clean%d@example.com", c)
		for at := monday.Add(time.Duration(c) * time.Second); at.Before(monday.Add(7 * day)); {
			w.innocent(at, client)
			at = at.Add(time.Minute + time.Duration(w.random.Int64N(int64(6*time.Minute))))
		}
	}
}

// innocent adds one call of no waste.
func (w *week) innocent(at time.Time, client string) {
	id := w.unique()
	switch w.random.IntN(8) {
	case 0:
		w.add(at, client, "GET", fmt.Sprintf("/api/v2/incremental/tickets/cursor.json?cursor=c%d", id))
	case 1:
		w.add(at, client, "GET", fmt.Sprintf("/api/v2/search.json?query=external_id%%3A%d", id))
	case 2:
		w.add(at, client, "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", id)).sent = fmt.Sprintf(`{"ticket":{"priority":"high","external_id":"x%d"}}`, id)
	case 3:
		w.add(at, client, "POST", "/api/v2/tickets.json").status = 201
	case 4:
		w.add(at, client, "GET", fmt.Sprintf("/api/v2/tickets/show_many.json?ids=%d,%d", id, w.unique()))
	case 5:
		w.add(at, client, "GET", fmt.Sprintf("/api/v2/tickets/%d/comments.json", id))
	default:
		w.add(at, client, "GET", fmt.Sprintf("/api/v2/users/%d.json", id))
	}
}

// waste plants every kind of waste, each by clients of its own.
func (w *week) waste() {
	w.unchanged()
	w.repeats()
	w.changing()
	w.reads()
	w.writes()
	w.nothing()
	w.polling()
	w.fanOut()
	w.findOne()
}

func (w *week) plant(kind audit.Kind, n int) {
	w.found[kind] += n
	w.spared += n
}

// between is a number from low to high.
func (w *week) between(low, high int) int { return low + w.random.IntN(high-low+1) }

// unchanged reads a group every two hours; its ETag stays the same. Once it
// changes, which is no waste.
func (w *week) unchanged() {
	same := `W/"0123456789abcdef0123456789abcdef"`
	times := w.between(30, 60)
	for i := range times {
		c := w.add(monday.Add(time.Duration(i)*2*time.Hour), "unchanged@example.com", "GET", "/api/v2/groups/17.json")
		if c.etag = same; i == times/2 {
			same = `W/"f123456789abcdef0123456789abcdef"`
		}
	}
	w.plant(audit.Unchanged, times-1-1)
}

// repeats reads the same once more after 5 s, 40 s, 4 min and 50 min, of which
// only the first two are within a minute. The log tells nothing of the bodies.
func (w *week) repeats() {
	for i, gap := range []time.Duration{5 * time.Second, 40 * time.Second, 4 * time.Minute, 50 * time.Minute} {
		times := w.between(10, 30)
		for n := range times {
			at := monday.Add(time.Duration(n)*2*time.Hour + time.Duration(i)*time.Minute)
			path := fmt.Sprintf("/api/v2/brands/%d.json", w.unique())
			for _, at := range []time.Time{at, at.Add(gap)} {
				c := w.add(at, fmt.Sprintf("repeats%d@example.com", i), "GET", path)
				c.etag, c.size = "", 0
			}
		}
		for longer := i; longer < 4; longer++ {
			w.hits[longer] += times
		}
		if i < 2 {
			w.plant(audit.Repeats, times)
		}
	}
}

// changing reads the same again after 30 s, and it has changed: a cache would
// have answered with an old body.
func (w *week) changing() {
	times := w.between(10, 30)
	for n := range times {
		at := monday.Add(time.Duration(n) * 3 * time.Hour)
		path := fmt.Sprintf("/api/v2/views/%d/count.json", w.unique())
		w.add(at, "changing@example.com", "GET", path)
		w.add(at.Add(30*time.Second), "changing@example.com", "GET", path)
	}
	for longer := 1; longer < 4; longer++ {
		w.hits[longer] += times
		w.outdated[longer] += times
	}
}

// reads asks for single users, of which a hundred are one show_many.
func (w *week) reads() {
	for g := range w.between(3, 6) { // twenty at once
		size := w.between(101, 199)
		at := monday.Add(time.Duration(g) * time.Hour)
		for i := range size {
			c := w.add(at.Add(time.Duration(i)*20*time.Millisecond), "at-once@example.com", "GET", fmt.Sprintf("/api/v2/users/%d.json", w.unique()))
			c.took = 400 * time.Millisecond
		}
		w.plant(audit.Reads, size-2)
	}
	for g := range w.between(3, 6) { // one after another
		size := w.between(20, 60)
		at := monday.Add(time.Duration(g) * time.Hour)
		for i := range size {
			w.add(at.Add(time.Duration(i)*300*time.Millisecond), "in-a-row@example.com", "GET", fmt.Sprintf("/api/v2/organizations/%d", w.unique()))
		}
		w.plant(audit.Reads, size-1)
	}
}

// writes updates single tickets. A job costs four calls, so groups of four are
// no waste.
func (w *week) writes() {
	for g := range w.between(4, 9) {
		size := w.between(20, 90)
		at := monday.Add(time.Duration(g) * time.Hour)
		for i := range size {
			id := w.unique()
			w.add(at.Add(time.Duration(i)*500*time.Millisecond), "writes@example.com", "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", id)).sent = fmt.Sprintf(`{"ticket":{"status":"solved","external_id":"w%d"}}`, id)
		}
		w.plant(audit.Writes, size-4)
	}
	for i := range 4 {
		w.add(monday.Add(2*day+time.Duration(i)*500*time.Millisecond), "few-writes@example.com", "DELETE", fmt.Sprintf("/api/v2/users/%d.json", w.unique()))
	}
}

// nothing reads a ticket and writes the same back; sometimes it changes it.
func (w *week) nothing() {
	for i := range w.between(10, 20) {
		at := monday.Add(time.Duration(i) * time.Hour)
		id := w.unique()
		path := fmt.Sprintf("/api/v2/tickets/%d.json", id)
		w.add(at, "nothing@example.com", "GET", path).body = fmt.Sprintf(`{"ticket":{"id":%d,"status":"open","tags":["a","b"],"custom_fields":[{"id":1,"value":"x"},{"id":2,"value":null}]}}`, id)
		put := w.add(at.Add(3*time.Second), "nothing@example.com", "PUT", path)
		if i%3 == 0 {
			put.sent = `{"ticket":{"status":"solved","tags":["a","b"]}}`
			continue
		}
		put.sent = `{"ticket":{"tags":["b","a"],"status":"open","custom_fields":[{"id":2,"value":null}]}}`
		w.plant(audit.Nothing, 1)
	}
}

// polling reads all tickets every 61 minutes, page by page.
func (w *week) polling() {
	times, pages := w.between(10, 40), w.between(3, 8)
	for n := range times {
		at := monday.Add(time.Duration(n) * 61 * time.Minute)
		for page := range pages {
			path := "/api/v2/tickets.json?per_page=100"
			if page > 0 {
				path += fmt.Sprintf("&page=%d", page+1)
			}
			w.add(at.Add(time.Duration(page)*time.Second), "polling@example.com", "GET", path)
		}
	}
	w.plant(audit.Polling, (times-1)*(pages-1))
}

// fanOut searches, and then asks for the comments of each ticket found.
func (w *week) fanOut() {
	for g := range w.between(4, 8) {
		at := monday.Add(time.Duration(g) * 2 * time.Hour)
		w.add(at, "fan-out@example.com", "GET", fmt.Sprintf("/api/v2/search.json?query=type%%3Aticket+%d", w.unique()))
		size := w.between(5, 99)
		for i := range size {
			w.add(at.Add(time.Second+time.Duration(i)*700*time.Millisecond), "fan-out@example.com", "GET", fmt.Sprintf("/api/v2/tickets/%d/comments.json", w.unique()))
		}
		w.plant(audit.FanOut, size-1)
	}
}

// findOne reads all macros, and then uses one of them.
func (w *week) findOne() {
	for n := range w.between(8, 15) {
		at := monday.Add(time.Duration(n) * 2 * time.Hour)
		pages := w.between(2, 6)
		for page := range pages {
			w.add(at.Add(time.Duration(page)*time.Second), "find-one@example.com", "GET", fmt.Sprintf("/api/v2/macros.json?page=%d&active=%d", page+1, n))
		}
		w.add(at.Add(time.Duration(pages)*time.Second), "find-one@example.com", "GET", fmt.Sprintf("/api/v2/macros/%d.json", w.unique()))
		w.plant(audit.FindOne, pages)
	}
}

// An ordeal is refusals of one kind: what the answer says, and what it is for.
type ordeal struct {
	cause        string
	method, path string
	header       map[string]string
	body         string
}

var ordeals = []ordeal{
	{"account support/account", "GET", "/api/v2/tickets/%d.json", map[string]string{"x-rate-limit": "700", "x-rate-limit-remaining": "0", "retry-after": "20"}, "Number of allowed API requests per minute exceeded"},
	{"object support/per-ticket-updates", "PUT", "/api/v2/tickets/%d.json", map[string]string{"retry-after": "93"}, "Rate limit for ticket updates exceeded, please wait before updating this ticket again"},
	{"endpoint support/incremental-exports", "GET", "/api/v2/incremental/tickets.json?start_time=%d", map[string]string{"x-rate-limit": "700", "x-rate-limit-remaining": "684", "retry-after": "10"}, `{"error":"APIRateLimitExceeded","description":"Number of allowed incremental export API requests per minute exceeded"}`},
	{"endpoint support/tickets-update", "PUT", "/api/v2/tickets/%d.json", map[string]string{"zendesk-ratelimit-tickets-update": "total=100; remaining=0; resets=30", "retry-after": "30"}, ""},
	{"jobs support/inflight-jobs", "PUT", "/api/v2/tickets/update_many.json?ids=%d", map[string]string{"retry-after": "60"}, `{"error":"TooManyJobs","description":"Too many TicketBulkUpdateJobV3 jobs are currently queued or running. Try again later."}`},
	{"never waiting does not help: Pagination limit reached for offset model", "GET", "/api/v2/users.json?page=900&x=%d", nil, "Pagination limit reached for offset model"},
}

// refusals plants 429s of every kind, each in a minute of its own.
func (w *week) refusals() {
	minute := monday.Add(30 * time.Second)
	for _, o := range ordeals {
		times := w.between(5, 25)
		for range times {
			minute = minute.Add(time.Minute)
			c := w.add(minute, "refused@example.com", o.method, fmt.Sprintf(o.path, w.unique()))
			c.status, c.etag, c.header, c.body = 429, "", o.header, o.body
		}
		w.causes[o.cause] = times
		w.refusedMinutes += times
	}
}

// busy fills minutes of day d with so many calls each, from many clients.
func (w *week) busy(d, minutes, calls int) {
	for m := range minutes {
		start := monday.Add(time.Duration(d)*day + time.Duration(m)*10*time.Minute + 2*time.Second)
		for i := range calls {
			w.add(start.Add(time.Duration(i)*50*time.Second/time.Duration(calls)), fmt.Sprintf("busy%d@example.com", i%50), "GET", fmt.Sprintf("/api/v2/search.json?query=%d", w.unique()))
		}
	}
}

// sorted returns the calls in the order in which a log has them: of their ends.
func (w *week) sorted() []exchange {
	slices.SortStableFunc(w.calls, func(a, b exchange) int { return a.at.Add(a.took).Compare(b.at.Add(b.took)) })
	return w.calls
}
