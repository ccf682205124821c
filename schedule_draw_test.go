package flyball_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/simulator"
)

// A schedule is all that one seed decides: an account and its faults, how
// flyball is set up for it, and the calls.
type schedule struct {
	seed    uint64
	temper  temper
	server  simulator.Options
	options flyball.Options
	workers int
	calls   []plan
}

// A temper says which part of all schedules one is drawn from. Wild ones have
// everything; the others leave out what makes an invariant unknowable.
type temper string

const (
	wild   temper = "wild"   // anything at all
	honest temper = "honest" // nobody else there, no answer that lies: no limit needs to be passed
	greedy temper = "greedy" // alone, never short of calls, nothing held back: no budget needs to be wasted
)

func newSchedule(seed uint64) *schedule {
	draw := rand.New(rand.NewPCG(seed, 7))
	s := &schedule{seed: seed, temper: pick(draw, wild, wild, honest, greedy)}
	s.server = anyServer(draw)
	switch s.temper {
	case honest:
		makeHonest(draw, &s.server)
	case greedy:
		makeGreedy(draw, &s.server)
	case wild:
	}
	s.server.Seed, s.server.Origin = seed, "https://acme.zendesk.com"
	s.options = s.anyOptions(draw)
	s.workers = 1 + draw.IntN(40)
	for range 40 + draw.IntN(160) {
		s.calls = append(s.calls, s.anyCall(draw, len(s.calls)))
	}
	if s.temper == greedy {
		s.makeBusy(draw)
	}
	return s
}

func pick[T any](draw *rand.Rand, of ...T) T { return of[draw.IntN(len(of))] }

func anyServer(draw *rand.Rand) simulator.Options {
	o := simulator.Options{
		Limit:         pick(draw, 3, 10, 60, 200, 700),
		Window:        pick(draw, time.Second, 7*time.Second, 10*time.Second, time.Minute, time.Minute),
		KeepWindows:   draw.IntN(2) == 0,
		ChargeRefused: draw.IntN(2) == 0,
		BareRefusals:  draw.IntN(3) == 0,
		Headers:       pick(draw, simulator.HeadersCurrent, simulator.Headers2023, simulator.HeadersXRateLimit, simulator.HeadersNone),
		Latency:       simulator.Between(pick(draw, 0, 20*time.Millisecond), pick(draw, 30*time.Millisecond, time.Second, 4*time.Second)),
		Others:        pick(draw, 0, 0, 0.3, 0.9),
		BoundarySkew:  pick(draw, 0, 600*time.Millisecond),
		ClockSkew:     pick(draw, 0, 0, 700*time.Millisecond, -13*time.Second, 41*time.Minute, -26*time.Hour),
		Limits:        map[string]simulator.Limit{},
	}
	if o.Window >= 5*time.Second && o.Headers != simulator.HeadersNone { // else the server's clock is all there is to go by
		o.WindowJitter = pick(draw, 0, 0, o.Window/20)
		o.OpenedByFirst, o.RoundDown = draw.IntN(5) == 0, draw.IntN(5) == 0
	}
	if o.Headers == simulator.HeadersNone && o.Window < 5*time.Second {
		o.Limit = 700 // a limit of a few a second that nobody states is not learned
	}
	if draw.IntN(3) == 0 {
		o.Limits["tickets-index"] = simulator.Limit{N: 1 + draw.IntN(20), Silent: draw.IntN(2) == 0}
	}
	if draw.IntN(3) == 0 {
		o.Limits["per-ticket-updates"] = simulator.Limit{N: 1 + draw.IntN(5), Silent: draw.IntN(2) == 0}
	}
	for range draw.IntN(4) {
		o.Faults = append(o.Faults, anyFault(draw))
	}
	return o
}

func anyFault(draw *rand.Rand) simulator.Fault {
	f := simulator.Fault{Probability: pick(draw, 0.02, 0.1, 0.3)}
	switch draw.IntN(7) {
	case 0:
		f.Status, f.Body = 429, pick(draw, simulator.Bodies()...)
		f.RetryAfter = pick(draw, "", "0", "none", "1.5", "date", "20", "junk")
	case 1:
		f.Status, f.RetryAfter = 503, pick(draw, "", "2")
	case 2:
		f.Cut = pick(draw, simulator.CutBefore, simulator.CutAfter, simulator.CutBody)
	case 3:
		f.Headers = pick(draw, simulator.HeadersAbsent, simulator.HeadersGarbage, simulator.HeadersReordered)
	case 4:
		f.StrayZero = true
	case 5:
		f.Overstate = 10
	default:
		f.Delay = 20 * time.Second
	}
	return f
}

// lies reports whether the fault makes an answer say what is not so.
func lies(f simulator.Fault) bool {
	return f.Status == 429 || f.StrayZero || f.Overstate > 0 || f.Headers == simulator.HeadersGarbage
}

func makeHonest(draw *rand.Rand, o *simulator.Options) {
	o.Others, o.BoundarySkew, o.WindowJitter, o.OpenedByFirst, o.RoundDown = 0, 0, 0, false, false
	o.Headers = pick(draw, simulator.HeadersCurrent, simulator.Headers2023)
	o.Window = pick(draw, 7*time.Second, 10*time.Second, time.Minute)
	o.Limit = pick(draw, 3, 10, 10, 60)
	told := o.Faults[:0]
	for _, f := range o.Faults {
		if !lies(f) {
			told = append(told, f)
		}
	}
	o.Faults = told
}

func makeGreedy(draw *rand.Rand, o *simulator.Options) {
	makeHonest(draw, o)
	o.Faults, o.Limits = nil, nil
	o.Latency = simulator.Between(20*time.Millisecond, o.Window/200)
}

// anyOptions sets flyball up in any way that lets calls end: keeping free all
// that there is holds every call for as long as it may wait.
func (s *schedule) anyOptions(draw *rand.Rand) flyball.Options {
	var o flyball.Options
	if s.server.Window < 5*time.Second || s.temper != wild || draw.IntN(2) == 0 {
		o.Window = s.server.Window
	}
	o.MaxWaiting = pick(draw, 0, 0, 20)
	o.Retries = pick(draw, 0, 0, 1, 5, -1)
	if s.temper == greedy {
		o.MaxWaiting = 0
		o.Regulation = flyball.Regulation{Politeness: -1, Burst: 100}
		return o
	}
	o.Regulation = flyball.Regulation{
		AtMost:        pick(draw, 0, 0, 60, 300),
		KeepFree:      pick(draw, 0, 0, 1, s.server.Limit/2, s.server.Limit+1),
		KeepFreeShare: pick(draw, 0, 0, 0.2, 0.5),
		Politeness:    pick(draw, 0, 0, -1, 0.5, 3),
		Burst:         pick(draw, 0, 0, 1, 4, 100.0),
	}
	if draw.IntN(3) == 0 {
		o.Quotas = map[string]flyball.Quota{"etl": {AtMost: pick(draw, 0, 30, 120), MaxShare: pick(draw, 0, 0.2, 1)}}
	}
	return o
}

// keepsAll reports whether flyball may be told to leave nothing to itself: a
// limit that is not stated may be taken for a smaller one.
func (s *schedule) keepsAll() bool {
	kept := s.options.Regulation.KeepFree
	return kept >= s.server.Limit || kept > 0 && s.server.Headers == simulator.HeadersNone
}

// A plan is one call to make. Its caller may lose patience or leave.
type plan struct {
	id                 int
	method, path, body string
	class              flyball.Class
	labelled           bool
	client             string
	weight             float64
	maxWait            time.Duration // 0 waits for as long as it takes, negative not at all
	timeout            time.Duration // of its context, 0 for none
	leaves             time.Duration // when its context is cancelled, 0 for never
	pause              time.Duration // before it is made
}

func (s *schedule) anyCall(draw *rand.Rand, id int) plan {
	c := plan{id: id, method: "GET", path: user(draw.IntN(50))}
	switch draw.IntN(6) {
	case 0:
		c.method, c.path, c.body = "PUT", fmt.Sprintf("/api/v2/tickets/%d.json", 1+draw.IntN(3)), fmt.Sprintf(`{"ticket":{"external_id":"%d"}}`, id)
	case 1:
		c.path = "/api/v2/tickets.json?page[size]=1"
	case 2:
		c.method, c.path, c.body = "PUT", "/api/v2/tickets/update_many.json?ids=1,2", fmt.Sprintf(`{"ticket":{"external_id":"%d"}}`, id)
	case 3:
		c.method, c.path, c.body = "POST", "/api/v2/tickets.json", fmt.Sprintf(`{"ticket":{"subject":"call %d","comment":{"body":"made once"}}}`, id)
	case 4:
		c.path = pick(draw, "/api/v2/help_center/articles.json", "/api/v2/incremental/tickets.json?start_time=1", "/api/v2/groups.json")
	}
	c.labelled = draw.IntN(2) == 0
	c.class = pick(draw, flyball.Normal, flyball.Interactive, flyball.Bulk)
	c.client, c.weight = pick(draw, "", "etl", "crm"), pick(draw, 0, 0.5, 3.0)
	c.maxWait = pick(draw, 0, 0, -1, time.Millisecond, time.Second, 20*time.Second, 2*time.Minute)
	if s.keepsAll() && c.maxWait == 0 {
		c.maxWait = 20 * time.Second
	}
	c.timeout = pick(draw, 0, 0, 0, 0, 500*time.Millisecond, 30*time.Second)
	c.leaves = pick(draw, 0, 0, 0, time.Duration(1+draw.Int64N(int64(10*time.Second))))
	c.pause = pick(draw, 0, 0, time.Duration(draw.Int64N(int64(5*time.Second))))
	return c
}

// makeBusy has calls wait at all times, all of one kind.
func (s *schedule) makeBusy(draw *rand.Rand) {
	s.workers = 10 + draw.IntN(30)
	class, labelled := pick(draw, flyball.Normal, flyball.Interactive, flyball.Bulk), draw.IntN(3) > 0
	for i := range s.calls {
		s.calls[i] = plan{id: i, method: "GET", path: user(i), class: class, labelled: labelled}
	}
}
