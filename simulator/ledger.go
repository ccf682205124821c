package simulator

import (
	"slices"
	"strings"
	"time"
)

// Ledger tells what reached the account since it began or was last reset. It is
// added up anew from the raw log at each call of [Simulator.Ledger].
type Ledger struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Sends are all requests that arrived, refused ones too; Undecided of them
	// are still under way. Requests to /_sim are none.
	Sends     int `json:"sends"`
	Undecided int `json:"undecided"`
	// Status counts what the account answered, whether it got through or not;
	// Cuts counts the connections broken before, after or in the answer.
	Status map[int]int `json:"status"`
	Cuts   int         `json:"cuts"`
	// Refusals counts the 429s by cause (a limit's name, or fault) and victim
	// ("us": who called, or "others").
	Refusals []Refusals `json:"refusals"`
	// Others are the other consumers' calls, and how many of them met a 429.
	Others        int `json:"others"`
	OthersRefused int `json:"others_refused"`
	// PeakPerSecond is the most arrivals in one second of the clock, and PeakAt
	// that second.
	PeakPerSecond int       `json:"peak_per_second"`
	PeakAt        time.Time `json:"peak_at"`
	// Changed counts changed records, by kind and verb: "ticket update".
	Changed map[string]int `json:"changed"`
	// DuplicateWrites are writes that repeated an earlier one: a second ticket
	// made of the same request, say.
	DuplicateWrites int `json:"duplicate_writes"`
	// Windows has a row for every bucket and window that saw a request.
	Windows []Window `json:"windows"`
	// Requests are the latest requests in order of arrival; Dropped earlier ones
	// are only in the sums.
	Requests []Request `json:"requests"`
	Dropped  int       `json:"dropped"`
}

// Refusals is a number of 429s.
type Refusals struct {
	Cause  string `json:"cause"`
	Victim string `json:"victim"`
	Count  int    `json:"count"`
}

// Window is one bucket in one window: of the UTC clock, unless the options ask
// for others. Requests belong to the window in which the account decided about
// them.
type Window struct {
	Bucket string        `json:"bucket"`
	Start  time.Time     `json:"start"`
	Length time.Duration `json:"length_ns"`
	Limit  int           `json:"limit"`
	// Sends are the caller's requests that draw on the bucket; Admitted of them
	// were not answered by a 429, Refused of them met a 429 because of this
	// bucket. Cost is what the sends together draw.
	Sends    int `json:"sends"`
	Admitted int `json:"admitted"`
	Refused  int `json:"refused"`
	Cost     int `json:"cost"`
	// Others are the other consumers' calls, refused ones included.
	Others        int `json:"others"`
	OthersRefused int `json:"others_refused"`
}

// Request is one request as it arrived.
type Request struct {
	At      time.Time `json:"at"`
	Decided time.Time `json:"decided"` // zero while under way
	Method  string    `json:"method"`
	Path    string    `json:"path"` // with its query
	Status  int       `json:"status"`
	Service string    `json:"service"`
	Buckets []string  `json:"buckets,omitempty"`
	Cause   string    `json:"cause,omitempty"` // of its 429
	Cut     bool      `json:"cut,omitempty"`
}

// Refused is the number of 429s that the caller met, whatever the cause.
func (l Ledger) Refused() int { return l.count("us", "") }

// RefusedBy is the number of 429s that the caller met because of one limit.
func (l Ledger) RefusedBy(cause string) int { return l.count("us", cause) }

func (l Ledger) count(victim, cause string) (n int) {
	for _, r := range l.Refusals {
		if r.Victim == victim && (cause == "" || r.Cause == cause) {
			n += r.Count
		}
	}
	return n
}

// WindowsOf lists one bucket's windows in order of time.
func (l Ledger) WindowsOf(bucket string) []Window {
	var rows []Window
	for _, w := range l.Windows {
		if w.Bucket == bucket {
			rows = append(rows, w)
		}
	}
	return rows
}

// ledger recounts the raw log and lists the latest requests, at most so many.
func (j *journal) ledger(now time.Time, most int) Ledger {
	t := j.old.clone()
	for _, r := range j.records {
		t.record(r)
	}
	for _, f := range j.others {
		t.other(f, j.account)
	}
	l := Ledger{
		From: j.began, To: now, Refusals: []Refusals{},
		Sends: t.sends, Undecided: t.sends - t.decided,
		Status: t.status, Cuts: t.cuts,
		Others: t.others, OthersRefused: t.othersRefused,
		PeakPerSecond: t.peak, PeakAt: time.Unix(t.peakAt, 0).UTC(),
		Changed: t.changed, DuplicateWrites: t.duplicates,
		Windows: t.rows(), Requests: j.requests(most), Dropped: t.dropped,
	}
	for r, n := range t.refusals {
		l.Refusals = append(l.Refusals, Refusals{r.cause, r.victim, n})
	}
	slices.SortFunc(l.Refusals, func(a, b Refusals) int {
		return strings.Compare(a.Victim+" "+a.Cause, b.Victim+" "+b.Cause)
	})
	return l
}

func (j *journal) requests(most int) []Request {
	records := j.records[max(len(j.records)-min(most, j.keep), 0):]
	list := make([]Request, len(records))
	for i, r := range records {
		list[i] = Request{
			At: r.arrived, Decided: r.decided, Method: r.method, Path: r.path,
			Status: r.status, Service: r.service.name, Cause: r.cause, Cut: r.cut,
		}
		for _, b := range r.draws {
			list[i].Buckets = append(list[i].Buckets, b.name())
		}
	}
	return list
}
