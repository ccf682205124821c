package limit

import "time"

// A Source says who said what a bucket's limit is.
type Source string

// The sources, the most trustworthy first.
const (
	FromHeader  Source = "header"     // the server stated it
	Learned     Source = "learned"    // inferred from refusals
	Configured  Source = "configured" // typed in
	Documented  Source = "documented" // the catalogue's first guess
	NotYetKnown Source = "unknown"
)

// A Snapshot is an account's buckets at one instant.
type Snapshot struct {
	At      time.Time
	Account string
	Waiting int // calls held now
	Sends   int // requests that reached the wire since the start
	// StoreErrors is how often the cache's store failed since the start; each
	// was a miss.
	StoreErrors int
	// Saved is what was not sent, by cause: those that saved something.
	Saved   []Saving
	Buckets []Bucket
	Lines   []Line // what the held calls wait for, in no order
}

// A Line is the calls that wait for one bucket. The first of them is asked for
// again at Until, and earlier when an answer comes or a caller leaves.
type Line struct {
	Key    Key
	Held   int       // how many, at least 1
	Reason Reason    // what holds the first of them
	Until  time.Time // when that one is asked for again
}

// A Bucket is what is known of one bucket at one instant.
type Bucket struct {
	Key         Key
	Kind        Kind
	Limit       int           // 0 when unknown
	Left        int           // what may still be sent in this window, never negative
	Window      time.Duration // 0 when unknown
	Resets      time.Time     // the window's end, zero when unknown
	Source      Source
	PausedUntil time.Time // zero when not paused
	PauseCause  string    // what the refusing answer said
	InFlight    int       // ours sent and not yet answered
	Ours        int       // ours the server counted in this window
	Others      int       // others' the server counted in this window, estimated
	OthersRate  float64   // others' per second, forecast
	// Harm is how many calls of others met an empty window since the start,
	// estimated: their forecast rate times the time that nothing was left.
	Harm float64
	Held int // calls waiting for this bucket now
	// Wait is how long one more normal call is likely to be held, 0 when not
	// at all or when there is no telling.
	Wait     time.Duration
	Refusals int // 429s blamed on this bucket since the start
}
