package audit

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/zendesk"
)

// refusals finds out what sends were refused for.
type refusals struct {
	provider *zendesk.Provider
	causes   map[cause]*Cause
	counts   *recent[counted60] // what each bucket let through in its window
	minutes  int                // with a refusal that waiting helps against
	latest   time.Time          // of these minutes
}

type cause struct {
	scope, limit string
	inferred     bool
}

// counted60 is a bucket's count in its present window.
type counted60 struct {
	start time.Time
	n     int
}

// never is the scope of a refusal against which no waiting helps.
const never = "never"

const (
	mostBuckets = 50_000
	mostCauses  = 200
)

func newRefusals(p *zendesk.Provider) *refusals {
	return &refusals{provider: p, causes: map[cause]*Cause{}, counts: newRecent[counted60]("refusals", mostBuckets, 10*time.Minute)}
}

func (r *refusals) take(m *moment) {
	if m.Refused == 0 {
		r.passed(m)
		return
	}
	why := r.explain(m)
	if at := m.At.Truncate(time.Minute); why.scope != never && at.After(r.latest) {
		r.minutes++
		r.latest = at
	}
	c := r.causes[why]
	if c == nil {
		if len(r.causes) >= mostCauses {
			why = cause{scope: "unknown", limit: "others"}
			c = r.causes[why]
		}
		if c == nil {
			c = &Cause{Scope: why.scope, Limit: why.limit, Inferred: why.inferred, Example: m.cite()}
			r.causes[why] = c
		}
	}
	c.Sends += m.Refused
}

// passed counts a send in every bucket that it draws on.
func (r *refusals) passed(m *moment) {
	for _, d := range m.route.Draws() {
		if c := r.bucket(m, d); c != nil {
			c.n += m.Sends
		}
	}
}

// bucket returns the count that d draws on, with its window moved on to the
// call's; nil when its window is not known.
func (r *refusals) bucket(m *moment, d limit.Draw) *counted60 {
	if d.Rule.Window < time.Second || d.Rule.Kind == limit.Slots {
		return nil
	}
	key := m.route.KeyOf(d)
	c, _ := r.counts.get(mix(key.Object^key.Credential, string(key.Service)+"/"+key.ID), m.instant())
	if start := m.At.Truncate(d.Rule.Window); start.After(c.start) {
		*c = counted60{start: start}
	}
	return c
}

// explain says what a send was refused for: what its answer says, or else
// which of its buckets was nearly used up by what the log shows.
func (r *refusals) explain(m *moment) cause {
	if m.HeldFor != "" {
		return cause{scope: scopeOfName(m.HeldFor), limit: m.HeldFor}
	}
	if len(m.Header) > 0 || len(m.Body) > 0 {
		said := r.provider.Refusal(m.route, http.StatusTooManyRequests, m.Header, m.Body)
		switch {
		case said.Permanent:
			return cause{scope: never, limit: "waiting does not help: " + printable(said.Text)}
		case said.Rule != nil:
			return cause{scope: scopeOf(said.Rule), limit: string(said.Rule.Service) + "/" + said.Rule.ID}
		}
		answer := r.provider.Read(m.route, m.Status, m.Header)
		for _, seen := range answer.Readings() {
			if seen.Limit > 0 && seen.Remaining == 0 {
				return cause{scope: scopeOf(seen.Rule), limit: string(seen.Rule.Service) + "/" + seen.Rule.ID}
			}
		}
	}
	return r.infer(m)
}

// infer takes the narrowest bucket of which nine tenths were used.
func (r *refusals) infer(m *moment) cause {
	found := cause{scope: "unknown", limit: m.class()}
	for _, d := range m.route.Draws() {
		most := d.Rule.Limit
		if t := m.audit.traffic.meters[m.route.Service]; d.Rule.Primary && t != nil {
			most = t.allows(most)
		}
		c := r.bucket(m, d)
		if c == nil || most == 0 || c.n*10 < most*9 {
			continue
		}
		found = cause{scope: scopeOf(d.Rule), limit: string(d.Rule.Service) + "/" + d.Rule.ID, inferred: true}
	}
	return found
}

func scopeOf(rule *limit.Rule) string {
	switch {
	case rule.Kind == limit.Slots:
		return "jobs"
	case rule.Primary:
		return "account"
	case rule.Kind == limit.Object:
		return "object"
	}
	return "endpoint"
}

// scopeOfName reads the scope out of a bucket's name, as flyball's log has it.
func scopeOfName(name string) string {
	_, id, _ := strings.Cut(name, "/")
	id, _, _ = strings.Cut(id, " ")
	if id == zendesk.PrimaryID {
		return "account"
	}
	for _, row := range zendesk.Catalogue() {
		if row.Rule.ID == id {
			return scopeOf(row.Rule)
		}
	}
	return "endpoint"
}

func (r *refusals) report(out *Report) {
	out.limitedMinutes = r.minutes
	for _, c := range slices.SortedFunc(maps.Values(r.causes), func(a, b *Cause) int {
		return cmp.Or(cmp.Compare(b.Sends, a.Sends), cmp.Compare(a.Limit, b.Limit))
	}) {
		out.Causes = append(out.Causes, *c)
	}
}
