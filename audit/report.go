package audit

import (
	"math"
	"strconv"
	"time"
)

// A Kind names a kind of waste.
type Kind string

// The kinds of waste.
const (
	Unchanged Kind = "unchanged"     // a refetch whose body had not changed
	Repeats   Kind = "repeats"       // a repeat that a cache of 60 s would have answered
	Reads     Kind = "single-reads"  // single reads that are one show_many
	Writes    Kind = "single-writes" // single writes that are one job
	Nothing   Kind = "no-change"     // a write right after a read, that changes nothing
	Polling   Kind = "list-polling"  // a list read again and again that an incremental export replaces
	FanOut    Kind = "fan-out"       // a call for each record of a list
	FindOne   Kind = "find-one"      // a whole list read to find one id
)

var titles = map[Kind]string{
	Unchanged: "read again though nothing had changed",
	Repeats:   "the same read again within a minute",
	Reads:     "single reads that are one show_many",
	Writes:    "single writes that are one job",
	Nothing:   "writes that change nothing, right after a read",
	Polling:   "lists read again whole, which an incremental export replaces",
	FanOut:    "a call for each record of a list",
	FindOne:   "a whole list read to find one id",
}

// A Report is what an audit found.
type Report struct {
	Files      []File `json:"files"`
	Host       string `json:"host,omitempty"`
	OtherHosts int    `json:"other_hosts,omitempty"` // calls to other hosts, left out

	// Hosts are where the sends went, as far as the log tells: at most 100.
	Hosts []Count `json:"hosts,omitempty"`

	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Calls are what clients asked; Sends what reached Zendesk, repeats that
	// the log shows included. They differ where flyball answered.
	Calls int `json:"calls"`
	Sends int `json:"sends"`
	// StandFor is how many sends those of the log stand for where it is a
	// sample, else 0. All other figures are of the log alone.
	StandFor int `json:"stand_for,omitempty"`
	// Held counts the calls that flyball held for a second or more, which only
	// its own log tells, and LongestHold the longest.
	Held        int           `json:"held,omitempty"`
	LongestHold time.Duration `json:"longest_hold_ns,omitempty"`
	// Turned counts the calls that flyball refused before Zendesk could, by why:
	// wait-too-long or queue-full.
	Turned []Count `json:"turned,omitempty"`
	// Saved counts calls by what spared their send already.
	Saved []Count `json:"saved,omitempty"`

	Verdict Verdict `json:"verdict"`

	// Refused are the sends answered with 429.
	Refused        int     `json:"refused"`
	RefusedPercent float64 `json:"refused_percent"`
	RefusedMinutes int     `json:"refused_minutes"` // minutes with a refusal
	// limitedMinutes are those with a refusal for a limit's sake.
	limitedMinutes int
	// WorstMinute is the one with the most refusals.
	WorstMinute *Minute `json:"worst_minute,omitempty"`
	Causes      []Cause `json:"causes,omitempty"`

	// Minutes counts the minutes in which there were calls.
	Minutes  int       `json:"minutes"`
	Services []Service `json:"services"`

	Endpoints []Endpoint `json:"endpoints"`
	Clients   []Endpoint `json:"clients"`

	// Spared are the calls that the findings together would have spared, each
	// counted once.
	Spared        int        `json:"spared"`
	SparedPercent float64    `json:"spared_percent"`
	Findings      []Finding  `json:"findings"`
	Lifetimes     []Lifetime `json:"lifetimes,omitempty"`

	// Blind lists the findings for which memory did not reach far enough back.
	Blind []Blind `json:"blind,omitempty"`
	// Proposal is what flyball can do about the findings, and Settings the same
	// as a configuration.
	Proposal Proposal `json:"proposal"`
	Settings string   `json:"settings,omitempty"`

	// Replay is what became of the calls when they were made again.
	Replay *Replay `json:"replay,omitempty"`

	// Series is the traffic over time, for a chart.
	Series []Slot        `json:"series"`
	Step   time.Duration `json:"step_ns"` // length of a slot
}

// A Verdict answers whether throttling is needed.
type Verdict struct {
	Needed  bool     `json:"throttling_needed"`
	Reasons []string `json:"reasons"`
}

// A Minute is one minute of the clock.
type Minute struct {
	At      time.Time `json:"at"`
	Sends   int       `json:"sends"`
	Refused int       `json:"refused"`
}

// A Cause is what sends were refused for.
type Cause struct {
	Scope    string `json:"scope"` // account, endpoint, object, jobs, never or unknown
	Limit    string `json:"limit"`
	Inferred bool   `json:"inferred,omitempty"` // no header or body told; the counts fit
	Sends    int    `json:"sends"`
	Example  string `json:"example"`
}

// A Service is one counter that Zendesk keeps for a family of paths.
type Service struct {
	Name   string `json:"name"`
	Sends  int    `json:"sends"`
	Limit  int    `json:"limit"`  // a minute; 0 is unknown
	Source string `json:"source"` // who said so
	// Passed is the most sends of one minute that were not refused: where the
	// limit is unknown, it is no less.
	Passed int `json:"passed"`
	// Busiest is the minute with the most sends.
	Busiest Minute `json:"busiest"`
	// Bands counts minutes and sends by how near the limit they came.
	Bands []Band `json:"bands,omitempty"`
}

// A Band is a range of the limit, as Zendesk's usage page counts it.
type Band struct {
	Name    string `json:"name"` // 80-89 %, 90-99 %, 100 %
	Minutes int    `json:"minutes"`
	Sends   int    `json:"sends"` // made while that much was used up
}

// An Endpoint is a kind of call, or a client, and what it cost.
type Endpoint struct {
	Name    string  `json:"name"`
	Sends   int     `json:"sends"`
	Percent float64 `json:"percent"`
	Refused int     `json:"refused"`
}

// A Count is a name and a number of calls.
type Count struct {
	Name  string `json:"name"`
	Calls int    `json:"calls"`
}

// A Finding is one kind of waste.
type Finding struct {
	Kind    Kind           `json:"kind"`
	Title   string         `json:"title"`
	Calls   int            `json:"calls"` // that need not have been sent
	Percent float64        `json:"percent"`
	Details map[string]int `json:"details,omitempty"`
	Example string         `json:"example"`
	Routes  []Count        `json:"routes"`
	// Setting is what flyball does about it; "" when only the client can.
	Setting string `json:"setting,omitempty"`
	Advice  string `json:"advice,omitempty"`
}

// A Proposal is settings of flyball that spare calls.
type Proposal struct {
	Keep  []Kept  `json:"keep,omitempty"`
	Merge []Count `json:"merge,omitempty"` // kinds of single calls
	// Elide is how long ago what was read may be compared with a write; 0 is
	// not at all.
	Elide  time.Duration `json:"elide_ns,omitempty"`
	Elided int           `json:"elided,omitempty"`
}

// Kept is a kind of read that is worth keeping for a while.
type Kept struct {
	Route string        `json:"route"`
	Fresh time.Duration `json:"fresh_ns"`
	Calls int           `json:"calls"`
}

// A Replay is recorded calls made again on a simulated account, once by
// clients that wait as Retry-After says, and once by the same clients through
// flyball with the proposed settings.
type Replay struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Calls int       `json:"calls"`
	// Limit is the simulated account's calls a minute, and LimitSource who
	// said so.
	Limit       int    `json:"limit"`
	LimitSource string `json:"limit_source"`
	// Recorded is how many sends the log itself shows refused in that time.
	Recorded int `json:"recorded_refused"`
	// NotSimulated counts calls on endpoints that the simulator lacks. They
	// count against the limits and are answered with 501.
	NotSimulated int `json:"not_simulated,omitempty"`
	// More says that there were more calls than are replayed.
	More bool `json:"more,omitempty"`

	AsItWas  Outcome `json:"as_it_was"`
	Governed Outcome `json:"governed"`
}

// An Outcome is what a replay came to, by the simulated account's ledger.
type Outcome struct {
	Sends   int `json:"sends"`
	Refused int `json:"refused"` // sends answered with 429
	GaveUp  int `json:"gave_up"` // calls that ended without an answer but 429
	// Median, P99 and Slowest are how long after it was first wanted a call was
	// answered, waits and repeats included, its own and those of the calls
	// before it. Took is how long it was until all were answered.
	Median  time.Duration `json:"median_ns"`
	P99     time.Duration `json:"p99_ns"`
	Slowest time.Duration `json:"slowest_ns"`
	Took    time.Duration `json:"took_ns"`
}

// A Blind is a finding that is a lower bound: only the Most things used last
// are remembered for it, and some that mattered had to make room after Reach.
type Blind struct {
	Kind  Kind          `json:"kind"`
	Reach time.Duration `json:"reach_ns"`
	Most  int           `json:"most"`
}

// String says it for people.
func (b Blind) String() string {
	name := titles[b.Kind]
	if name == "" {
		name = string(b.Kind)
	}
	return name + ": a lower bound, for only what was used last is remembered (" + number(b.Most) + "), which reached back " + b.Reach.Round(time.Second).String() + " at times"
}

// A Lifetime is what a cache would have answered that keeps answers so long.
type Lifetime struct {
	Seconds int     `json:"seconds"`
	Calls   int     `json:"calls"`
	Percent float64 `json:"percent"`
	// Outdated of them would have been answered with a body that had changed,
	// as far as the log shows bodies, sizes or ETags: Known of them.
	Outdated int `json:"outdated"`
	Known    int `json:"known"`
}

// Span is how long answers are kept, for people: "30 s", "5 min".
func (l Lifetime) Span() string {
	switch {
	case l.Seconds >= 3600:
		return strconv.Itoa(l.Seconds/3600) + " h"
	case l.Seconds > 60:
		return strconv.Itoa(l.Seconds/60) + " min"
	}
	return strconv.Itoa(l.Seconds) + " s"
}

// OutdatedText says how many answers would have been outdated, and of how many
// the log tells.
func (l Lifetime) OutdatedText() string {
	switch {
	case l.Known == 0 && l.Calls > 0:
		return "the log does not tell"
	case l.Known < l.Calls:
		return number(l.Outdated) + " of the " + number(l.Known) + " that the log tells"
	}
	return number(l.Outdated)
}

// A Slot is a stretch of time.
type Slot struct {
	At      time.Time `json:"at"`
	Sends   int       `json:"sends"`
	Refused int       `json:"refused"`
	// Peak is the most sends of one minute in it.
	Peak int `json:"peak"`
}

// percent is n of all, to a hundredth.
func percent(n, all int) float64 {
	if all == 0 {
		return 0
	}
	return math.Round(float64(n)/float64(all)*1e4) / 100
}
