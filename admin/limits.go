package admin

import (
	"math"
	"strconv"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// Limits is the document at /api/limits: all buckets of one account at one
// instant. Times are RFC 3339 in UTC, durations are seconds.
type Limits struct {
	Account string    `json:"account"`
	At      time.Time `json:"at"`
	Waiting int       `json:"waiting"` // calls held now
	Version string    `json:"version,omitempty"`
	Sends   int       `json:"sends"` // requests that reached the account since the start
	Saved   []Saving  `json:"saved"` // what was not sent, by cause; never null
	// StoreErrors is how often the cache's store failed since the start.
	StoreErrors int      `json:"store_errors,omitempty"`
	Buckets     []Bucket `json:"buckets"` // never null
}

// A Saving is what one cause has saved since the start.
type Saving struct {
	Cause   string  `json:"cause"`   // "cache", "stale", "coalesced", "merged" or "elided"
	Calls   int     `json:"calls"`   // calls answered so
	Sends   int     `json:"sends"`   // sends spared
	Percent float64 `json:"percent"` // of the sends that there would have been
}

// A Bucket is one limit as the server counts it. What is not known is null,
// never 0.
type Bucket struct {
	Bucket     string `json:"bucket"`               // its name, such as "support/account"
	Service    string `json:"service"`              // the service that counts it
	ID         string `json:"id"`                   // the rule's name
	Object     string `json:"object,omitempty"`     // the ticket or user counted, a number too large for some readers
	Credential string `json:"credential,omitempty"` // a hash of the one credential counted
	Kind       string `json:"kind"`                 // "window", "object", "slots" or "pause"
	Source     string `json:"source"`               // who said what the limit is: "header", "learned", "configured", "documented" or "unknown"

	Limit         *int       `json:"limit"`          // how many in a window
	Left          *int       `json:"left"`           // how many may still be sent in this one; null while the limit is
	WindowSeconds *float64   `json:"window_seconds"` // the window's length
	ResetsAt      *time.Time `json:"resets_at"`      // its end
	ResetSeconds  *float64   `json:"reset_seconds"`  // the time to its end, at least 0

	PausedUntil  *time.Time `json:"paused_until"`          // after a 429, null when not paused
	PauseSeconds *float64   `json:"pause_seconds"`         // the time to that
	PauseCause   string     `json:"pause_cause,omitempty"` // what the server said

	InFlight        int     `json:"in_flight"`         // our sends not yet answered
	Ours            int     `json:"ours"`              // our sends counted in this window
	Others          int     `json:"others"`            // others' sends counted in this window, estimated
	OthersPerSecond float64 `json:"others_per_second"` // others' rate, forecast
	Held            int     `json:"held"`              // calls waiting for this bucket
	WaitSeconds     float64 `json:"wait_seconds"`      // what one more call is likely to wait for it, 0 when not at all
	Harm            float64 `json:"harm"`              // others' calls refused since the start because nothing was left, estimated
	Refusals        int     `json:"refusals"`          // 429s blamed on it since the start
}

// NewLimits returns the document for a snapshot.
func NewLimits(s limit.Snapshot, version string) Limits {
	doc := Limits{Account: s.Account, At: s.At.UTC(), Waiting: s.Waiting, Version: version, Sends: s.Sends, Saved: savings(s), StoreErrors: s.StoreErrors, Buckets: make([]Bucket, 0, len(s.Buckets))}
	for _, b := range s.Buckets {
		doc.Buckets = append(doc.Buckets, newBucket(b, s.At))
	}
	return doc
}

func savings(s limit.Snapshot) []Saving {
	all := s.Sends
	for _, saved := range s.Saved {
		all += saved.Sends
	}
	doc := make([]Saving, 0, len(s.Saved))
	for _, saved := range s.Saved {
		share := 100 * float64(saved.Sends) / float64(max(all, 1))
		doc = append(doc, Saving{Cause: saved.Cause.String(), Calls: saved.Calls, Sends: saved.Sends, Percent: math.Round(share*10) / 10})
	}
	return doc
}

func newBucket(b limit.Bucket, at time.Time) Bucket {
	doc := Bucket{
		Bucket: b.Key.String(), Service: string(b.Key.Service), ID: b.Key.ID,
		Kind: kindName(b.Kind), Source: string(b.Source),
		ResetsAt: instant(b.Resets), ResetSeconds: until(b.Resets, at),
		InFlight: b.InFlight, Ours: b.Ours, Others: b.Others, OthersPerSecond: finite(b.OthersRate),
		Held: b.Held, WaitSeconds: *seconds(b.Wait), Harm: math.Round(b.Harm), Refusals: b.Refusals,
	}
	if doc.Source == "" {
		doc.Source = string(limit.NotYetKnown)
	}
	if b.Key.Object != 0 {
		doc.Object = strconv.FormatUint(b.Key.Object, 10)
	}
	if b.Key.Credential != 0 {
		doc.Credential = strconv.FormatUint(b.Key.Credential, 16)
	}
	if b.Limit > 0 {
		doc.Limit, doc.Left = &b.Limit, &b.Left
	}
	if b.Window > 0 {
		doc.WindowSeconds = seconds(b.Window)
	}
	if b.PausedUntil.After(at) {
		doc.PausedUntil, doc.PauseSeconds, doc.PauseCause = instant(b.PausedUntil), until(b.PausedUntil, at), b.PauseCause
	}
	return doc
}

func kindName(k limit.Kind) string {
	switch k {
	case limit.Window:
		return "window"
	case limit.Object:
		return "object"
	case limit.Slots:
		return "slots"
	case limit.Pause:
		return "pause"
	default:
		return "unknown"
	}
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func until(t, at time.Time) *float64 {
	if t.IsZero() {
		return nil
	}
	return seconds(max(t.Sub(at), 0))
}

// seconds rounds to milliseconds: nobody reads more.
func seconds(d time.Duration) *float64 {
	s := d.Round(time.Millisecond).Seconds()
	return &s
}

// finite keeps a rate fit for JSON, which knows no infinity.
func finite(rate float64) float64 {
	if math.IsNaN(rate) || math.IsInf(rate, 0) {
		return 0
	}
	return math.Round(rate*1000) / 1000
}
