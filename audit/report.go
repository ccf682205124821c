package audit

import (
	"math"
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

	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Calls are what clients asked; Sends what reached Zendesk, repeats that
	// the log shows included. They differ only in flyball's own log.
	Calls int `json:"calls"`
	Sends int `json:"sends"`
	// Saved counts calls by what spared their send already.
	Saved []Count `json:"saved,omitempty"`

	Verdict Verdict `json:"verdict"`

	// Refused are the sends answered with 429.
	Refused        int     `json:"refused"`
	RefusedPercent float64 `json:"refused_percent"`
	RefusedMinutes int     `json:"refused_minutes"` // minutes with a refusal
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

	// Forgotten counts what had to make room in memory: the findings are
	// lower bounds where it is not 0.
	Forgotten int `json:"forgotten,omitempty"`
	// Settings is a configuration with the keys that the findings name.
	Settings string `json:"settings,omitempty"`

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
