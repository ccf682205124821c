package simulator

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Options configure a simulated account. The zero value is a Suite Enterprise
// account of 700 requests a minute with nobody else using it and no faults.
type Options struct {
	// Plan is one of [Plans]; empty is suite-enterprise.
	Plan string
	// Limit replaces the plan's requests per window; 0 keeps the plan's. The
	// Help Center keeps the plan's figure (see Limits).
	Limit int
	// Window replaces the account's minute; 0 is a minute. Every other window
	// is scaled by the same factor: with a window of 10 s the ten minutes of the
	// per-ticket limit become 100 s and the second of the user limit 1/6 s. The
	// figures stay as they are. Windows start at multiples of their length since
	// the Unix epoch, so they sit on the UTC clock.
	Window time.Duration
	// KeepWindows leaves all windows but the account's, the Help Center's and the
	// webhooks' as documented when Window is set.
	KeepWindows bool
	// Limits changes single limits by name (see [LimitNames]).
	Limits map[string]Limit
	// NoUserWriteSecond switches off the limit of one user write a second.
	NoUserWriteSecond bool
	// ChargeRefused makes a refused call use up its buckets. Recorded traffic
	// shows both; the default is that it does not.
	ChargeRefused bool
	// BareRefusals leaves all limit headers but Retry-After off the 429s.
	BareRefusals bool
	// Headers is the spelling of the limit headers; empty is HeadersCurrent.
	Headers HeaderMode
	// Latency is the time to an answer; nil is [Typical].
	Latency Latency
	// Others is the share of the account's limit that other consumers ask for,
	// 0.3 for 30 %. They come in bursts (rate times 0.3, 1 or 1.7, changing about
	// every sixth of a window), and do not try again when refused.
	Others float64
	// Programs are further consumers, which run by the clock.
	Programs []Program
	// BoundarySkew is how far a counter's restart may lie from the clock's
	// boundary, up to a second in recorded traffic; 0 is never. At a skewed
	// boundary the remaining and the reset of one answer disagree.
	BoundarySkew time.Duration
	// WindowJitter makes each window of the account longer or shorter by up to so
	// much, drawn from the seed; windows of other lengths vary in proportion. They
	// follow each other without a gap and so leave the clock. At most half of the
	// window; 0 is never, as recorded: all windows there are whole clock minutes.
	WindowJitter time.Duration
	// OpenedByFirst opens a bucket's window with the first call that finds none
	// open, as a counter with an expiry does, instead of on the clock. No
	// recording shows it. BoundarySkew does nothing then.
	OpenedByFirst bool
	// RoundDown cuts off the fraction of the seconds in resets and Retry-After,
	// which may then be 0 and up to a second too short. Recorded ones are rounded
	// up; other servers, and reports of "backing off for 0 s", show this.
	RoundDown bool
	// ClockSkew is how far the account's clock is ahead of the caller's; negative
	// is behind. Its Date, its windows and the times of its ledger follow it.
	ClockSkew time.Duration
	// Faults are tried in order on every request.
	Faults []Fault
	// Seed chooses the run. Any value, 0 too, is a seed.
	Seed uint64
	// Origin is put before paths in answers, such as "https://acme.zendesk.com";
	// empty is the origin each request was sent to.
	Origin string
	// Tickets, Users and Organizations size the desk; 0 is a sensible size.
	Tickets, Users, Organizations int
	// JobLag is how long a background job of so many items takes; nil is 2 s and
	// a tenth of a second an item. It must be pure.
	JobLag func(items int) time.Duration
	// KeepRequests is how many of the latest requests the ledger lists; older
	// ones stay in its sums. 0 is 100,000.
	KeepRequests int
}

// Limit changes one limit of the catalogue. Its zero fields change nothing.
type Limit struct {
	// N is the number of calls (of running jobs, for jobs).
	N int
	// Window replaces the documented window; it is not scaled.
	Window time.Duration
	// Header gives the limit a header of this name; Silent leaves it without.
	Header string
	Silent bool
	// Off removes the limit.
	Off bool
}

// Check reports the first value of the options that New would not take.
func (o Options) Check() error {
	if _, err := findPlan(o.Plan); err != nil {
		return err
	}
	if _, err := o.Headers.names(); err != nil {
		return err
	}
	for _, f := range o.Faults {
		if err := f.Check(); err != nil {
			return err
		}
	}
	for _, p := range o.Programs {
		if err := p.Check(); err != nil {
			return err
		}
	}
	if err := o.checkLimits(); err != nil {
		return err
	}
	if o.Origin != "" {
		if u, err := url.Parse(o.Origin); err != nil || u.Scheme == "" || u.Host == "" {
			return fmt.Errorf("origin %q: not of the form https://acme.zendesk.com", o.Origin)
		}
	}
	return o.checkRanges()
}

func (o Options) checkRanges() error {
	switch {
	case o.Limit < 0:
		return fmt.Errorf("limit %d: must not be negative", o.Limit)
	case o.Window < 0 || o.Window > 0 && o.Window < 10*time.Millisecond:
		return fmt.Errorf("window %s: must be at least 10ms", o.Window)
	case o.Others < 0 || o.Others > 10:
		return fmt.Errorf("others %g: must be a share from 0 to 10, 0.3 for 30%%", o.Others)
	case o.BoundarySkew < 0:
		return fmt.Errorf("boundary skew %s: must not be negative", o.BoundarySkew)
	case o.WindowJitter < 0 || o.WindowJitter > cmp.Or(o.Window, minute)/2:
		return fmt.Errorf("window jitter %s: must be from 0 to half of the window", o.WindowJitter)
	case min(o.Tickets, o.Users, o.Organizations, o.KeepRequests) < 0:
		return fmt.Errorf("a number of tickets, users, organizations or requests kept is negative")
	}
	return nil
}

func (o Options) checkLimits() error {
	known := LimitNames()
	for name, l := range o.Limits {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown limit %q; the limits are %s", name, strings.Join(known, ", "))
		}
		if l.N < 0 || l.Window < 0 {
			return fmt.Errorf("limit %q: number and window must not be negative", name)
		}
	}
	return nil
}

const (
	minute              = time.Minute
	defaultKeepRequests = 100_000
)

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Window == 0 {
		o.Window = minute
	}
	if o.Latency == nil {
		o.Latency = Typical()
	}
	if o.KeepRequests == 0 {
		o.KeepRequests = defaultKeepRequests
	}
	return o
}
