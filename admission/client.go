package admission

import (
	"time"

	"github.com/flyballhq/flyball/budget"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/queue"
)

const (
	// urgentShare is how much of the account's limit one client may use as
	// interactive; what it calls urgent beyond is normal, so that calling
	// everything urgent gains nothing.
	urgentShare = 0.2
	// lightShare is how much of it a client may use that is light: one that
	// nobody labelled and that asks little, such as a person's tool beside an
	// export. Its calls are treated as interactive.
	lightShare = 0.1
	// allLight is how much all light clients together may use so: many small
	// ones are as heavy as one big one.
	allLight = 0.2
	// lightActive is how many calls at once a light client has at most: a call
	// that waits keeps its class.
	lightActive = 10
	// maxClients bounds the clients that are counted.
	maxClients = 10_000
)

// A client is who calls: by name or, without one, by credential.
type client struct {
	name       string
	credential uint64
}

func clientOf(call *limit.Call) client {
	if call.Client != "" {
		return client{name: call.Client}
	}
	return client{credential: call.Route.Credential}
}

// A usage counts a client's calls.
type usage struct {
	window int64          // the window counted
	urgent int            // calls treated as interactive in it
	calls  int            // calls in it
	active int            // sends that wait or are under way
	later  int            // those of them that are not interactive
	share  [2]queue.Share // by shareOf
}

// rank gives a call its class and its place among the others, once: a retry
// keeps both. The caller holds the lock.
func (c *Controller) rank(call *limit.Call, u *usage, account budget.Bound) {
	c.seq++
	call.Seq = c.seq
	call.As = c.treatAs(call, u, account)
	i := shareOf(call.As)
	call.Tag = c.fair[i].Tag(&u.share[i], call.Weight)
}

// giveBack takes back the place of a call that left unsent. The caller holds
// the lock.
func (c *Controller) giveBack(u *usage, call *limit.Call) {
	i := shareOf(call.As)
	c.fair[i].Return(&u.share[i], call.Weight)
}

// shareOf is which of its client's shares a call counts towards. Bulk calls
// have one of their own: what others had meanwhile would make them first come,
// first served. Urgent and normal calls have one, so that calling everything
// urgent gains nothing.
func shareOf(as limit.Class) int {
	if as == limit.Bulk {
		return 1
	}
	return 0
}

// treatAs decides how urgent a call is, within its client's share.
func (c *Controller) treatAs(call *limit.Call, u *usage, account budget.Bound) limit.Class {
	within := func(used int, share float64) bool {
		return account.Limit <= 0 || float64(used) < max(1, share*float64(account.Limit))
	}
	switch {
	case call.Class == limit.Interactive:
		if !within(u.urgent, urgentShare) {
			return limit.Normal
		}
	case call.Labelled || call.Class != limit.Normal:
		return call.Class
	default:
		c.light.turn(u.window)
		// A client's own calls keep their order: one that has others waiting
		// is not light.
		if u.later > 0 || u.active > lightActive || !within(u.calls-1, lightShare) || !within(c.light.urgent, allLight) {
			return limit.Normal
		}
		c.light.urgent++
	}
	u.urgent++
	return limit.Interactive
}

// enter counts a send of the call's client, until the waiter exits, and ranks
// a call that comes for the first time. The caller holds the lock.
func (c *Controller) enter(now time.Time, w *waiter) (first bool) {
	call, account := w.call, c.account.Primary(now, &w.call.Route)
	who := clientOf(call)
	u := c.clients[who]
	if u == nil {
		if len(c.clients) >= maxClients {
			c.forgetClients()
		}
		u = &usage{}
		c.clients[who] = u
	}
	span := account.Window
	if span <= 0 {
		span = time.Minute
	}
	u.turn(now.UnixNano() / int64(span))
	u.active++
	w.usage = u
	if first = call.Seq == 0; first {
		u.calls++
		c.rank(call, u, account)
	}
	if call.As != limit.Interactive {
		u.later++
	}
	return first
}

// neverCame takes back what entering counted against the client: a call with
// another answer at hand cost nobody anything. The caller holds the lock.
func (c *Controller) neverCame(w *waiter) {
	u, call := w.usage, w.call
	u.calls--
	if call.As == limit.Interactive {
		u.urgent--
		if call.Class == limit.Normal && !call.Labelled {
			c.light.urgent--
		}
	}
	c.giveBack(u, call)
	call.Seq = 0
}

// turn begins to count anew in a new window.
func (u *usage) turn(window int64) {
	if u.window != window {
		u.window, u.urgent, u.calls = window, 0, 0
	}
}

// exit ends what enter began. The caller holds the lock.
func (w *waiter) exit() {
	if w.usage != nil {
		w.usage.active--
		if w.call.As != limit.Interactive {
			w.usage.later--
		}
		w.usage = nil
	}
}

// forgetClients makes room: those without a call go, first those who are owed
// nothing.
func (c *Controller) forgetClients() {
	for _, owed := range []bool{false, true} {
		for who, u := range c.clients {
			if u.active == 0 && (owed || c.fair[0].New(&u.share[0]) && c.fair[1].New(&u.share[1])) {
				delete(c.clients, who)
			}
		}
		if len(c.clients) < maxClients {
			return
		}
	}
}

// rankOf is the call's place among those that wait.
func rankOf(call *limit.Call) queue.Rank {
	return queue.Rank{Lane: queue.LaneOf(call.As), Tag: call.Tag, Seq: call.Seq}
}
