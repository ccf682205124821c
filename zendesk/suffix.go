package zendesk

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// MaxUnknownLimits bounds how many limits that only headers name are told
// apart in one process. Further names are ignored.
const MaxUnknownLimits = 256

// maxSuffix is the longest name of an endpoint's limit that is read.
const maxSuffix = 64

// bySuffix finds the catalogue's rules by the names their headers have, in
// lower case and as net/http spells them.
var bySuffix = makeSuffixes()

func makeSuffixes() map[string][]*limit.Rule {
	m := map[string][]*limit.Rule{}
	for i := range catalogue {
		for _, name := range catalogue[i].Headers {
			m[name] = append(m[name], catalogue[i].Rule)
			m[canonical(name)] = m[name]
		}
	}
	return m
}

// canonical is name with the capitals that it has at the end of a header.
func canonical(name string) string {
	return http.CanonicalHeaderKey("x-" + name)[len("x-"):]
}

// ruleFor links a header to the limit that it speaks of, nil when that cannot
// be told.
func ruleFor(route *limit.Route, name string, c counter) *limit.Rule {
	rules := bySuffix[name]
	if len(rules) == 0 || rules[0].Service != route.Service {
		var buffer [maxSuffix]byte
		folded := foldInto(buffer[:0], name)
		rules = bySuffix[string(folded)]
		if len(rules) == 0 || rules[0].Service != route.Service {
			return unknown.rule(route.Service, folded)
		}
	}
	switch rules[0] {
	case perUserUpdates, userUpdates:
		return userRule(route, c)
	case ticketsUpdate:
		// The pages name this header for both limits on ticket updates; only
		// the one ticket's window is longer than a minute.
		if c.reset > time.Minute && route.Object != 0 {
			return perTicketUpdates
		}
	case perTicketUpdates:
		if route.Object == 0 {
			return nil
		}
	}
	return rules[0]
}

// userRule tells apart the two limits that share the name create-update-user:
// five a minute of one user, one a second of the account. A call that names
// no user leaves the first without its object.
func userRule(route *limit.Route, c counter) *limit.Rule {
	switch {
	case c.limit == userUpdates.Limit:
		return userUpdates
	case route.Object == 0:
		return nil
	}
	return perUserUpdates
}

// unknown holds the limits that headers have named and the catalogue does not.
var unknown = interned{max: MaxUnknownLimits}

// interned makes one rule a name, at most max of them. Reading takes no lock.
type interned struct {
	max   int
	rules atomic.Pointer[map[internKey]*limit.Rule]
	mu    sync.Mutex // held by writers
}

type internKey struct {
	service limit.Service
	suffix  string
}

func (t *interned) rule(service limit.Service, folded []byte) *limit.Rule {
	if m := t.rules.Load(); m != nil {
		if r := (*m)[internKey{service, string(folded)}]; r != nil {
			return r
		}
		if len(*m) >= t.max {
			return nil
		}
	}
	if !plainName(folded) {
		return nil
	}
	// Copied, for the caller's strings may be part of a request.
	return t.add(internKey{limit.Service(strings.Clone(string(service))), string(folded)})
}

func (t *interned) add(key internKey) *limit.Rule {
	t.mu.Lock()
	defer t.mu.Unlock()
	grown := map[internKey]*limit.Rule{}
	if m := t.rules.Load(); m != nil {
		grown = maps.Clone(*m)
	}
	if r := grown[key]; r != nil || len(grown) >= t.max {
		return r
	}
	r := &limit.Rule{
		ID: unknownID(key.suffix), Service: key.service, Kind: limit.Window,
		Scope: limit.Unknown, Mark: limit.Hint, Source: "known from its header only",
	}
	grown[key] = r
	t.rules.Store(&grown)
	return r
}

// foldInto appends name in lower case.
func foldInto(to []byte, name string) []byte {
	for i := range len(name) {
		to = append(to, lower(name[i]))
	}
	return to
}

// unknownID returns the rule's ID, which must not be that of another bucket.
func unknownID(suffix string) string {
	taken := suffix == PrimaryID
	for i := range catalogue {
		taken = taken || catalogue[i].Rule.ID == suffix
	}
	if taken {
		return "header " + suffix
	}
	return suffix
}

// plainName accepts what a header's name is made of.
func plainName(name []byte) bool {
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || isDigit(c) || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return len(name) > 0
}
