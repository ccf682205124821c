package batch

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/flyballhq/flyball/flight"
	"github.com/flyballhq/flyball/limit"
)

// A merging is one way to make many calls one. Each group has its own. Its
// methods are called on the group's goroutine, one after another.
type merging interface {
	// kind keeps apart calls that cannot become one, beside what every key
	// holds (see [keyOf]).
	kind() string
	bounds() bounds
	// draft returns the request for many as far as it is known before its
	// members are: method, URL and header. Its route is what admission
	// charges. Unlike the others it is called on the first member's goroutine,
	// and takes a copy: a caller that has left may reuse its request.
	draft(first *http.Request) *http.Request
	// seal returns the request for these members, who are all there will be.
	// It is called each time that the send, or a repeat of it, has leave;
	// nil takes the send back, and finish is told of context.Canceled.
	seal(req *http.Request, members []*member) *http.Request
	// finish sets each member's outcome by what the send came to, and nothing
	// else of it: its request and its call are its caller's. ctx ends
	// when the last member has left.
	finish(ctx context.Context, call *limit.Call, members []*member, resp *http.Response, err error)
}

// bounds says when a group is sent.
type bounds struct {
	least, most int           // how few calls are worth merging, and how many may be
	window      time.Duration // how long a group gathers at the most
	// pressed is how long it gathers while others of its key are held and it
	// has fewer than least; its members go alone then. 0 sends it with fewer,
	// which takes in others while it is held.
	pressed time.Duration
}

// A member is one call that may be merged.
type member struct {
	req      *http.Request
	call     *limit.Call
	path     string          // of the request
	id       uint64          // of the object that the call is about, 0 for a creation
	patience time.Time       // zero: for ever
	item     limit.WriteItem // of a write
	body     []byte          // of a write; nil when it has none, or was not read
	turn     *turn           // of a write
	rounds   int             // groups that came to nothing for it
	outcome  outcome         // valid when its group's flight is done
}

// An outcome is what a group came to for one member. Its zero value sends the
// member alone.
type outcome struct {
	fate fate
	resp *http.Response
	err  error
	// saved says that the call cost no send of its own.
	saved bool
}

type fate uint8

const (
	alone    fate = iota // make the call as if there were no others
	again                // try once more, with others: the failure was not the member's
	answered             // resp or err is the member's own
)

// A group is calls that become one send, and that send.
type group struct {
	*transport
	merging merging
	call    *limit.Call // for all; written by the flight only
	flight  *flight.Flight[struct{}]
	draft   *http.Request
	bounds
	opened time.Time
	look   chan struct{} // something changed that may end the gathering
	leave  chan struct{} // closed when the send has leave

	// Guarded by the merger's lock:
	line    *line
	members []*member
	turns   []*turn // of members whose callers left when it was too late to take them out
	ended   bool
	sending bool // its send is held or under way
	leaving bool // and has leave
	shut    bool // it takes in nobody any more
}

// gather opens a group with its first member. The caller holds the lock.
func (t *transport) gather(now time.Time, l *line, m *member, way merging) *group {
	g := &group{
		transport: t, merging: way, line: l, members: []*member{m}, draft: way.draft(m.req),
		call: m.call.Shared(m.req.Context()),
		look: make(chan struct{}, 1), leave: make(chan struct{}), bounds: way.bounds(), opened: now,
	}
	g.bounds = g.within(g.call.Deadline, now)
	l.open = append(l.open, g)
	l.groups++
	g.flight = flight.Start(g.run)
	return g
}

// admit takes m in, unless everybody has left. The caller holds the lock.
func (g *group) admit(m *member) bool {
	if !g.flight.Join() {
		return false
	}
	g.members = append(g.members, m)
	if len(g.members) >= g.most {
		g.line.shut(g)
		g.nudge()
	}
	return true
}

// nudge makes a group that gathers look again.
func (g *group) nudge() {
	select {
	case g.look <- struct{}{}:
	default:
	}
}

// run is the group's life: it gathers, then is sent.
func (g *group) run(ctx context.Context) (struct{}, error) {
	defer g.close() // whatever happens below, its line must not wait for it
	if g.waits(ctx) != send {
		return struct{}{}, nil // its members go alone
	}
	g.call.Route, g.call.For, g.call.Seal = g.Provider.Route(g.draft), limit.Merged, g.seal
	resp, err := g.next.RoundTrip(g.draft.WithContext(limit.WithCall(ctx, g.call))) //nolint:bodyclose // finish does
	members := g.stop()
	g.merging.finish(ctx, g.call, members, resp, err)
	if len(members) > 1 && denied(resp) {
		g.mu.Lock()
		g.avoid(time.Now(), g.line.key)
		g.mu.Unlock()
	}
	return struct{}{}, nil
}

// waits blocks until the group has gathered, and says what becomes of it.
func (g *group) waits(ctx context.Context) verdict {
	timer := time.NewTimer(g.window)
	defer timer.Stop()
	for {
		v := g.settle(time.Now())
		if v == press {
			timer.Reset(time.Until(g.opened.Add(g.pressed)))
		} else if v != wait {
			return v
		}
		select {
		case <-timer.C:
		case <-g.look:
		case <-ctx.Done():
			return drop
		}
	}
}

// settle decides, and counts the send that is to be made.
func (g *group) settle(now time.Time) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.decide(now)
	switch v {
	case send:
		g.sending = true
		g.line.busy++
		g.line.held++
	case wait, press: // not yet
	case release, drop:
		g.seclude()
	}
	return v
}

// seclude lets nobody in any more. The caller holds the lock.
func (g *group) seclude() {
	if !g.shut {
		g.shut = true
		g.line.shut(g)
	}
}

// seal is called when the send has leave: those who are there are its members.
func (g *group) seal(req *http.Request) *http.Request {
	g.mu.Lock()
	if !g.leaving {
		g.leaving = true
		g.line.held--
		close(g.leave)
	}
	g.seclude()
	members := g.members
	g.mu.Unlock()
	if len(members) == 0 || req.Context().Err() != nil {
		return nil
	}
	return g.merging.seal(req, members)
}

// stop returns the members of a send that has ended.
func (g *group) stop() []*member {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seclude()
	return g.members
}

// close counts the group out of its line.
func (g *group) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seclude()
	if g.sending {
		g.sending = false
		g.line.ended(!g.leaving)
	}
	g.line.groups--
	g.ended = true
	for _, t := range g.turns {
		t.end()
	}
	g.tidy(g.line)
}

// wait blocks until the group has come to something, or m's caller leaves.
// A caller whose time is up while the group is held learns from it by what:
// the group is no more patient than its members.
func (g *group) wait(m *member) error {
	ctx := m.req.Context()
	select {
	case <-g.flight.Done():
		ctx = context.WithoutCancel(ctx)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && g.expires() {
			ctx = context.WithoutCancel(ctx)
		}
	}
	_, err := g.flight.Wait(ctx)
	if _, broke := errors.AsType[*flight.Panic](err); err != nil && !broke {
		g.forget(m)
		err = m.req.Context().Err()
	}
	return err
}

// expires waits for a group that is held and whose patience is over, and
// reports whether it ended without leave to send.
func (g *group) expires() bool {
	g.mu.Lock()
	gathers := !g.sending && !g.ended
	g.mu.Unlock()
	if gathers {
		return false
	}
	select {
	case <-g.flight.Done():
		return true
	case <-g.leave:
		return false
	}
}

// forget takes out a member whose caller left, if it is not too late.
func (g *group) forget(m *member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch i := slices.Index(g.members, m); {
	case i < 0:
	case !g.shut:
		g.members = slices.Delete(g.members, i, i+1)
	case !g.ended && m.turn != nil: // it may be done all the same
		g.turns = append(g.turns, m.turn)
		m.turn = nil
	}
}
