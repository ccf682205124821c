package zendesk

import (
	"bytes"
	"net/http"

	"github.com/flyballhq/flyball/limit"
)

// maxBody is how much of a refusal's body is looked at.
const maxBody = 8 << 10

// A phrase is a text by which a refusing body is known. The comparison is in
// any case. The bodies are rows A to J of the facts, section 4.1.
type phrase struct {
	text      string
	throttle  bool // also what the old throttle said under 503
	permanent bool // waiting never helps
	rule      func(p *Provider, route *limit.Route) *limit.Rule
}

func fixed(r *limit.Rule) func(*Provider, *limit.Route) *limit.Rule {
	return func(_ *Provider, route *limit.Route) *limit.Rule {
		if r.Service != route.Service || r.Scope != limit.PerAccount && route.Object == 0 {
			return nil // another service's limit, or an unknown object: the route must stand for it
		}
		return r
	}
}

func primaryRuleOf(p *Provider, route *limit.Route) *limit.Rule { return p.primaryOf(route) }

func routeItself(*Provider, *limit.Route) *limit.Rule { return nil }

// phrases are tried in turn; the first one found decides.
var phrases = []phrase{
	{text: "pagination limit reached for offset model", permanent: true, rule: routeItself},
	{text: "invalidpaginationdepth", permanent: true, rule: routeItself},
	{text: "maximum number of resources", permanent: true, rule: routeItself}, // F
	{text: "rate limit for ticket updates exceeded", throttle: true, rule: fixed(perTicketUpdates)},
	{text: "for updating a single unique user", throttle: true, rule: fixed(perUserUpdates)},
	{text: "toomanyjobs", rule: fixed(inflightJobs)},
	{text: "incremental export api requests per minute exceeded", throttle: true, rule: fixed(incrementalExports)},
	{text: "too many requests to update", rule: organization},
	{text: "too many requests to autocomplete", rule: routeItself},
	// One hour's limit, seen with a full account counter (G): nothing says
	// whom it counts, so the route stands for it.
	{text: "requests per hour exceeded", throttle: true, rule: routeItself},
	{text: "number of allowed api requests per minute exceeded", throttle: true, rule: primaryRuleOf},
	// Another bucket's text, its name unknown (H).
	{text: "requests per minute exceeded", throttle: true, rule: routeItself},
	// The edge stands before the application and knows clients, not routes:
	// going on with other routes would prolong the block. So the service is
	// held for the one wait asked for (J).
	{text: "edge protection", rule: primaryRuleOf},
	{text: "error 1015", rule: primaryRuleOf},
	{text: "error code: 1015", rule: primaryRuleOf},
	{text: "you are being rate limited", rule: primaryRuleOf},
}

// organization names the limit on one organization's updates, on the route
// that has it.
func organization(_ *Provider, route *limit.Route) *limit.Rule {
	for _, d := range route.Draws() {
		if d.Rule == organizationUpdates {
			return organizationUpdates
		}
	}
	return nil
}

// Refusal reads a refusing answer. An endpoint's header that says 0 remaining
// names the rule before any body does. A body that blames the service's own
// counter is not believed while the same answer says that there is some of it
// left: such limits are hidden ones, and only their route is held for them.
func (p *Provider) Refusal(route *limit.Route, status int, header http.Header, body []byte) (r limit.Refusal) {
	if route == nil {
		route = &limit.Route{Service: Other}
	}
	body = body[:min(len(body), maxBody)]
	said := find(body)
	switch {
	case status == http.StatusTooManyRequests:
		r.Limit = true
	case status == http.StatusServiceUnavailable && said != nil && said.throttle:
		r.Limit = true // what is a 429 today was a 503 once
	default:
		return r
	}
	r.Text = text(body)
	if said != nil && said.permanent {
		r.Permanent = true
		return r
	}
	answer := p.Read(route, status, header)
	if r.Rule = spent(&answer); r.Rule != nil || said == nil {
		return r
	}
	r.Rule = said.rule(p, route)
	if r.Rule != nil && r.Rule.Primary && hasLeft(&answer) {
		r.Rule = nil
	}
	return r
}

// spent returns the rule of an endpoint's header that says 0 remaining.
func spent(a *limit.Answer) *limit.Rule {
	for _, seen := range a.Readings() {
		if !seen.Rule.Primary && seen.Remaining == 0 {
			return seen.Rule
		}
	}
	return nil
}

// hasLeft reports whether the service's own counter is stated to have some
// left.
func hasLeft(a *limit.Answer) bool {
	for _, seen := range a.Readings() {
		if seen.Rule.Primary && seen.Remaining > 0 {
			return true
		}
	}
	return false
}

// find returns the phrase that body holds, nil when none.
func find(body []byte) *phrase {
	lower := bytes.ToLower(body)
	for i := range phrases {
		if bytes.Contains(lower, []byte(phrases[i].text)) {
			return &phrases[i]
		}
	}
	return nil
}
