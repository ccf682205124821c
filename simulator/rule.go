package simulator

import "time"

// scope says whose calls share one bucket of a rule.
type scope int

const (
	perAccount    scope = iota
	perUser             // the credential that calls
	perTarget           // the record in the path
	perTargetUser       // both
	perEmail            // the e-mail in the body
)

// rule is one limit: so many calls per window over a scope.
type rule struct {
	name   string
	header string // the name in the endpoint header; empty is none
	n      int
	window time.Duration
	cost   int
	scope  scope
	body   Body
	when   func(*call) bool // a further condition; nil is none

	uncounted  bool // shown, but never falls (Talk partner)
	concurrent bool // counts what runs at once, not what came in a window
	service    bool // the counter of a whole service
	silent     bool // a service's counter that is not shown

	one  counter
	many map[key]*counter
}

// key names one bucket of a rule; zero where the whole account shares it.
type key struct {
	target uint64
	user   uint64
}

// keyOf is the bucket of the rule that a call draws on.
func (r *rule) keyOf(c *call, id uint64) key {
	switch r.scope { //nolint:exhaustive // the rest is perAccount
	case perUser:
		return key{user: c.user}
	case perTarget:
		return key{target: id}
	case perTargetUser:
		return key{target: id, user: c.user}
	case perEmail:
		return key{target: emailOf(c.body)}
	}
	return key{}
}

// counter is the use of one bucket in one window.
type counter struct {
	epoch      int64
	start, end int64 // of the window
	used       int
}

// maxBuckets bounds the buckets a rule remembers; more than so many records
// written in one window make it forget those of earlier windows.
const maxBuckets = 4096

// counter returns the bucket's use in the window.
func (r *rule) counter(k key, w window) *counter {
	at := &r.one
	if r.scope != perAccount {
		at = r.keyed(k, w)
	}
	if at.epoch != w.epoch {
		*at = counter{epoch: w.epoch, start: w.start, end: w.end}
	}
	return at
}

// openedWindow is the window that the bucket's first call opened, or that a call
// now would open: the one before is over.
func (r *rule) openedWindow(k key, now int64, odd *oddity) window {
	at := &r.one
	if r.scope != perAccount {
		at = r.many[k]
	}
	if at != nil && now < at.end {
		return window{start: at.start, end: at.end, epoch: at.epoch}
	}
	return window{start: now, end: now + odd.length(now, r.window), epoch: now}
}

func (r *rule) keyed(k key, w window) *counter {
	if r.many == nil {
		r.many = make(map[key]*counter)
	}
	at := r.many[k]
	if at == nil {
		if len(r.many) >= maxBuckets {
			for other, c := range r.many {
				if c.end <= w.start {
					delete(r.many, other)
				}
			}
		}
		at = new(counter)
		r.many[k] = at
	}
	return at
}
