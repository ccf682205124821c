package replay

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/audit"
)

// A step is one call to make.
type step struct {
	after  time.Duration // from the beginning
	method string
	path   string // escaped, with its query
	body   string
}

// A caller is who makes calls: in order, at most so many at once as it was
// seen to.
type caller struct {
	name   string
	at     int // how many at once
	steps  []step
	recent map[string]time.Time // calls that were refused, by what they were
	under  []time.Time          // ends of the calls under way
}

// again is how long after a refusal the same call is its repeat.
const again = 10 * time.Minute

// script makes callers of recorded calls. The repeat of a refused call is left
// out: whoever replays it repeats it by itself.
func script(calls []audit.Call, from time.Time, names *naming) []*caller {
	byWho := map[string]*caller{}
	var order []*caller
	for i := range calls {
		c := &calls[i]
		who := byWho[c.Who]
		if who == nil {
			who = &caller{name: fmt.Sprintf("%s %d", c.Client, len(order)), at: 1, recent: map[string]time.Time{}}
			byWho[c.Who] = who
			order = append(order, who)
		}
		if c.Made || who.repeats(c) {
			continue
		}
		who.overlap(c)
		who.steps = append(who.steps, step{
			after: max(0, c.At.Sub(from)), method: c.Method, path: names.target(c), body: names.body(c),
		})
	}
	return order
}

// repeats reports whether c is the repeat of a call that was refused, and
// remembers c if it was refused itself.
func (w *caller) repeats(c *audit.Call) bool {
	what := c.Method + " " + c.Path + "?" + c.Query + "#" + c.QueryID
	at, before := w.recent[what]
	delete(w.recent, what)
	if c.Status == http.StatusTooManyRequests {
		w.recent[what] = c.At
	}
	return before && c.At.Sub(at) < again
}

// overlap learns from c how many calls the caller has under way at once. Where
// the log's times are too coarse, all that began in one second count.
func (w *caller) overlap(c *audit.Call) {
	w.under = slices.DeleteFunc(w.under, func(end time.Time) bool { return !end.After(c.At) })
	w.under = append(w.under, c.At.Add(max(c.Took, c.Blur)))
	w.at = max(w.at, len(w.under))
}

// naming gives recorded objects the names that they have on the simulated
// account.
type naming struct {
	ids map[string][]string // of the simulated account, by collection
	now map[string]string   // recorded "collection/id" to the simulated id
	n   map[string]int      // ids given out, by collection
	new int                 // makes writes unlike each other
}

func newNaming(ids map[string][]string) *naming {
	return &naming{ids: ids, now: map[string]string{}, n: map[string]int{}}
}

// target is the call's path and query with simulated ids.
func (m *naming) target(c *audit.Call) string {
	segments := strings.Split(c.Path, "/")
	for i := 4; i < len(segments); i++ {
		collection := segments[i-1]
		id, ending := strings.CutSuffix(segments[i], ".json")
		if number(id) {
			segments[i] = m.id(collection, id)
			if ending {
				segments[i] += ".json"
			}
		}
	}
	path := strings.Join(segments, "/")
	if c.Query == "" {
		return path
	}
	pairs := strings.Split(c.Query, "&")
	for i, pair := range pairs {
		if list, ok := strings.CutPrefix(pair, "ids="); ok && len(segments) > 3 {
			ids := strings.Split(list, ",")
			for k := range ids {
				ids[k] = m.id(segments[3], ids[k])
			}
			pairs[i] = "ids=" + strings.Join(ids, ",")
		}
	}
	query := strings.Join(pairs, "&")
	if c.QueryID != "" { // its values are not in the log: this tells it apart
		query += "&replay=" + c.QueryID
	}
	return path + "?" + query
}

func number(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// id is the simulated id of a recorded one. Ids are given out in the order in
// which they come, and again when there are no more.
func (m *naming) id(collection, id string) string {
	there := m.ids[collection]
	if len(there) == 0 || !number(id) {
		return id
	}
	key := collection + "/" + id
	if now, known := m.now[key]; known {
		return now
	}
	m.now[key] = there[m.n[collection]%len(there)]
	m.n[collection]++
	return m.now[key]
}

// objects are the names of one object in a body, by collection.
var objects = map[string]string{"tickets": "ticket", "users": "user", "organizations": "organization"}

// body is what a write says: what was recorded, or something new each time.
func (m *naming) body(c *audit.Call) string {
	switch c.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return ""
	}
	if len(c.Sent) > 0 {
		return string(c.Sent)
	}
	m.new++
	segments := strings.Split(strings.TrimSuffix(c.Path, ".json"), "/")
	if len(segments) < 4 || objects[segments[3]] == "" {
		return "{}"
	}
	one := objects[segments[3]]
	switch {
	case c.Method == http.MethodPost && one == "ticket":
		return fmt.Sprintf(`{"ticket":{"subject":"replay %d","comment":{"body":"replay %d"}}}`, m.new, m.new)
	case c.Method == http.MethodPost:
		return fmt.Sprintf(`{"%s":{"name":"replay %d"}}`, one, m.new)
	}
	return `{"` + one + `":{"external_id":"replay ` + strconv.Itoa(m.new) + `"}}`
}
