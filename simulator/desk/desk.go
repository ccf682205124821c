// Package desk is one Zendesk account: its records and the endpoints that
// read and change them, without limits, delays or faults (the simulator adds
// those around it).
//
// Time is an argument: the package never looks at a clock, starts no goroutine
// and waits for nothing. The same seed and the same sequence of calls give the
// same replies.
package desk

import (
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Options says how large an account to make and how its jobs behave. The zero
// value is a small account.
type Options struct {
	// Seed chooses the records' content and the ids handed out later.
	Seed uint64

	// Tickets, Users and Organizations are how many of each exist at first:
	// 250, 100 and 20 if 0, none if negative. One administrator always exists.
	Tickets, Users, Organizations int

	// JobLag says how long a background job over that many items takes from
	// its creation to its end. Nil is 2 s and 0.1 s an item.
	JobLag func(items int) time.Duration

	// JobLimit is how many jobs may be queued or running before another is
	// refused with 429 TooManyJobs. 0 means that the desk refuses none, which
	// suits a caller that counts with [Desk.Jobs] itself.
	JobLimit int

	// JobUnseen is how long a new job's id answers 404, as fresh ids at
	// Zendesk may do for a moment. 0 means that it is found at once.
	JobUnseen time.Duration
}

// Request is one call as it arrived, its account already known.
type Request struct {
	Method   string
	Path     string // escaped, as in [net/url.URL.EscapedPath]
	RawQuery string
	Header   http.Header // keys in canonical form; nil is empty
	Body     []byte      // kept by uploads: do not change it afterwards
	Origin   string      // begins every absolute link; "https://acme.zendesk.com" if empty
	Fault    JobFault    // of the job that the call starts
}

// Reply is the answer to one call. Its Body may be shared with other replies
// and must not be changed; its Header belongs to the caller.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte

	// Stream, if not nil, writes the body instead. The Content-Length header
	// says how many bytes. It may be called once, after Serve returned, from
	// any goroutine, and ends early with the writer's error.
	Stream func(w io.Writer) error

	// Changed lists the records changed since the previous reply: by this call,
	// and by items of background jobs that fell due in the meantime.
	Changed []Change
}

// Change is one record that was created, updated or deleted.
type Change struct {
	Kind string // "ticket", "user", "organization", "group", "upload", "webhook"
	ID   uint64
	Verb string // "create", "update", "delete"

	// Duplicate marks a create whose content equals an earlier create's:
	// subject and description of a ticket, email of a user, name otherwise.
	// That is what a POST leaves behind that was wrongly sent twice.
	Duplicate bool
}

// Desk is a Zendesk account. Its methods may be called at the same time.
type Desk struct {
	options Options
	account uint64

	mu         sync.Mutex
	random     *rand.Rand
	nextID     uint64
	nextTicket uint64

	tickets       table[*ticket]
	deleted       table[*ticket]
	users         table[*user]
	gone          table[*user] // deleted
	organizations table[*organization]
	groups        table[*group]
	fields        table[*ticketField]
	views         table[*view]
	categories    table[*category]
	articles      table[*article]
	webhooks      table[*webhook]
	issued        credentials

	emails map[string]*user
	made   map[[16]byte]struct{} // digests of the contents of the records created so far

	keys     keys
	uploads  map[string]*upload
	content  map[uint64]*attachment
	byToken  map[string]*attachment
	files    []*attachment // whose content is held, oldest first
	held     int           // bytes of content
	maxHeld  int
	byChange struct {
		tickets       []*ticket
		users         []*user
		organizations []*organization
		events        []eventRow
	}

	exact    time.Time // of the call being served
	jobs     []*job    // by creation
	jobCount uint64

	changed []Change // since the last reply
}

// New returns an account filled by the seed, whose records are between an hour
// and a year older than now.
func New(o Options, now time.Time) *Desk {
	d := &Desk{
		options:    o.withDefaults(),
		random:     rand.New(rand.NewPCG(o.Seed, 0x7a656e6465736b)),
		nextTicket: 1,
		emails:     map[string]*user{},
		issued:     credentials{byName: map[string]*oauthToken{}, apiNamed: map[string]*apiToken{}},
		maxHeld:    maxHeld,
		made:       map[[16]byte]struct{}{},
		uploads:    map[string]*upload{},
		content:    map[uint64]*attachment{},
		byToken:    map[string]*attachment{},
	}
	d.account = 10_000_000 + d.random.Uint64N(10_000_000)
	d.nextID = 21_000_000_000_000 + d.random.Uint64N(1_000_000_000_000)
	d.seed(second(now))
	return d
}

func (o Options) withDefaults() Options {
	size := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
		*n = max(*n, 0)
	}
	size(&o.Tickets, 250)
	size(&o.Users, 100)
	size(&o.Organizations, 20)
	if o.JobLag == nil {
		o.JobLag = func(items int) time.Duration { return 2*time.Second + time.Duration(items)*100*time.Millisecond }
	}
	return o
}

// Serve answers one call at the given time. Whatever the request holds, the
// answer is one that Zendesk could give. It does not block beyond the calls
// that are being served at the same moment. Calls made at the same time may
// bring their times in any order.
func (d *Desk) Serve(now time.Time, r Request) Reply {
	a := d.serve(now, r)
	return a.finish(r)
}

// serve does the work that needs the lock.
func (d *Desk) serve(now time.Time, r Request) answer {
	if r.Origin == "" {
		r.Origin = "https://acme.zendesk.com"
	}
	c := &call{Desk: d, Request: r, now: second(now)}
	e := c.route()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.advance(now)
	a := c.answer(e)
	a.changed, d.changed = d.changed, nil
	return a
}

func (c *call) answer(e *endpoint) answer {
	if !c.credentials() && (e == nil || !e.open) {
		return answer{status: http.StatusUnauthorized, body: []byte(`{"error":"Couldn't authenticate you"}`)}
	}
	c.usedBy(c.Header.Get("Authorization"), c.now)
	if e == nil {
		return c.unknown()
	}
	return e.serve(c)
}

// note remembers a change for the reply.
func (d *Desk) note(kind string, id uint64, verb string) {
	d.changed = append(d.changed, Change{Kind: kind, ID: id, Verb: verb})
}

// noteCreate is note for a create; content is what makes it a duplicate.
func (d *Desk) noteCreate(kind string, id uint64, content string) {
	duplicate := false
	if content != "" {
		sum := sha256.Sum256([]byte(kind + "\x00" + content))
		digest := [16]byte(sum[:16])
		_, duplicate = d.made[digest]
		d.made[digest] = struct{}{}
	}
	d.changed = append(d.changed, Change{Kind: kind, ID: id, Verb: "create", Duplicate: duplicate})
}

// newID returns a fresh id of the kind most records have: 14 digits, rising
// with gaps.
func (d *Desk) newID() uint64 {
	d.nextID += 20 * (1 + d.random.Uint64N(4_000))
	return d.nextID
}

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
