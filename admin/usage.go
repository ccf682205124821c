package admin

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/usage"
)

// Usage is the document at /api/usage: what a time of the account's use came
// to, in steps. Every list of a series has one entry for each step; the last
// step is under way.
type Usage struct {
	Account       string    `json:"account"`
	At            time.Time `json:"at"`
	From          time.Time `json:"from"`  // the beginning of the first step
	To            time.Time `json:"to"`    // the end of the last one
	Since         time.Time `json:"since"` // what is remembered at this resolution begins here
	WindowSeconds float64   `json:"window_seconds"`
	StepSeconds   float64   `json:"step_seconds"`
	Starts        []int64   `json:"starts"` // the beginning of each step, in Unix seconds

	Sum      Figures        `json:"sum"`      // of the whole window
	Total    TotalSeries    `json:"total"`    // of the account
	Saved    []SavedSeries  `json:"saved"`    // by cause; never null
	Clients  []Series       `json:"clients"`  // the busiest first, then "(other)"; never null
	Classes  []Series       `json:"classes"`  // never null
	Services []Series       `json:"services"` // never null
	Routes   []Series       `json:"routes"`   // the busiest first, then "(other)"; never null
	Buckets  []BucketSeries `json:"buckets"`  // the account's own first; never null
}

// Figures are what calls and sends came to over some time.
type Figures struct {
	Calls       int64   `json:"calls"`        // calls that ended: answered, or one of the next five
	Answered429 int64   `json:"answered_429"` // were handed the account's own 429
	Answered5xx int64   `json:"answered_5xx"` // were answered 5xx
	GaveUp      int64   `json:"gave_up"`      // were refused by flyball
	Left        int64   `json:"left"`         // whose caller left
	Failed      int64   `json:"failed"`       // ended in another error
	Sends       int64   `json:"sends"`        // requests that reached the wire
	Lost        int64   `json:"lost"`         // of them, those that died without an answer
	Refusals    int64   `json:"refusals"`     // of them, those that the account refused for a limit's sake: its 429s
	Retries     int64   `json:"retries"`      // sends made again
	SavedCalls  int64   `json:"saved_calls"`  // calls answered without a send of their own
	SavedSends  int64   `json:"saved_sends"`  // sends spared by that, less those made in their place
	Held        int64   `json:"held"`         // calls that were held
	HeldSeconds float64 `json:"held_seconds"` // for how long in all
	HoldP50     float64 `json:"hold_p50_seconds"`
	HoldP99     float64 `json:"hold_p99_seconds"` // of all calls, those not held counting as 0
}

// TotalSeries is the account's use step by step.
type TotalSeries struct {
	Calls      []int64   `json:"calls"`
	GaveUp     []int64   `json:"gave_up"`
	Left       []int64   `json:"left"`
	Failed     []int64   `json:"failed"`
	Sends      []int64   `json:"sends"`
	Lost       []int64   `json:"lost"`
	Refusals   []int64   `json:"refusals"`
	Retries    []int64   `json:"retries"`
	SavedSends []int64   `json:"saved_sends"`
	Held       []int64   `json:"held"`
	HoldP50    []float64 `json:"hold_p50_seconds"`
	HoldP99    []float64 `json:"hold_p99_seconds"`
}

// A SavedSeries is what one cause has saved, step by step.
type SavedSeries struct {
	Cause    string  `json:"cause"` // as in [Saving]
	SumCalls int64   `json:"sum_calls"`
	SumSends int64   `json:"sum_sends"`
	Calls    []int64 `json:"calls"`
	Sends    []int64 `json:"sends"` // below 0 where the one for many was sent
}

// A Series is the use of one client, class, service or kind of call.
type Series struct {
	Name     string  `json:"name"`
	Sum      Figures `json:"sum"`
	Calls    []int64 `json:"calls"`
	Sends    []int64 `json:"sends"`
	Refusals []int64 `json:"refusals"`
	GaveUp   []int64 `json:"gave_up"`
}

// A BucketSeries is one bucket's use. Its counts are the account's own, as its
// answers told them; what others sent is an estimate.
type BucketSeries struct {
	Bucket   string     `json:"bucket"`
	Sum      BucketUse  `json:"sum"`
	Limit    []*float64 `json:"limit"`    // in one window of the bucket, null where unknown
	Ours     []int64    `json:"ours"`     // our sends
	Others   []int64    `json:"others"`   // others' sends; at_most for the sum only
	Refusals []int64    `json:"refusals"` // our sends refused, blamed on this bucket
	GaveUp   []int64    `json:"gave_up"`  // our calls that flyball refused because of it
}

// A BucketUse is what a bucket's windows came to over some time.
type BucketUse struct {
	Limit        *float64 `json:"limit"` // in one window, the mean; null when unknown
	Ours         int64    `json:"ours"`
	Others       int64    `json:"others"`
	OthersAtMost int64    `json:"others_at_most"` // with what they likely sent when no answer told, and what our lost sends may hide
	Refusals     int64    `json:"refusals"`
	GaveUp       int64    `json:"gave_up"`
	Windows      int64    `json:"windows"` // that ended; in Zendesk's account bucket these are minutes
	At80         int64    `json:"at_80"`   // of them, those of which 80 to 89 % were used, by us and others
	At90         int64    `json:"at_90"`   // 90 to 99 %
	At100        int64    `json:"at_100"`  // all
}

// shownNames is how many clients and routes have a series of their own.
const shownNames = 12

// NewUsage returns the document for a range of a history.
func NewUsage(account string, at time.Time, h *usage.History, r usage.Range) (Usage, error) {
	doc := Usage{
		Account: account, At: at.UTC(), From: r.From.UTC(), To: r.To().UTC(), Since: r.Since.UTC(),
		WindowSeconds: (time.Duration(r.Steps) * r.Step).Seconds(), StepSeconds: r.Step.Seconds(),
		Starts: make([]int64, r.Steps),
	}
	for i := range doc.Starts {
		doc.Starts[i] = r.From.Add(time.Duration(i) * r.Step).Unix()
	}
	sums, err := sumsOf(h, r)
	if err != nil {
		return doc, err
	}
	t := newTable(sums, r.Steps)
	if err := h.Each(r, t.take); err != nil {
		return doc, err
	}
	doc.Sum = newFigures(sums.of(usage.Total, ""))
	doc.Total, doc.Saved = t.totals(), t.savings()
	doc.Clients, doc.Classes = t.series(usage.Client), t.series(usage.Class)
	doc.Services, doc.Routes = t.series(usage.Service), t.series(usage.Route)
	doc.Buckets = t.buckets()
	return doc, nil
}

// sums are the figures of a whole range, by kind and name.
type sums map[usage.Kind]map[string]*usage.Figures

func sumsOf(h *usage.History, r usage.Range) (sums, error) {
	s := make(sums)
	err := h.Each(r, func(_ int, kind usage.Kind, name string, f *usage.Figures) { s.of(kind, name).Add(f) })
	return s, err
}

func (s sums) of(kind usage.Kind, name string) *usage.Figures {
	if s[kind] == nil {
		s[kind] = make(map[string]*usage.Figures)
	}
	f := s[kind][name]
	if f == nil {
		f = new(usage.Figures)
		s[kind][name] = f
	}
	return f
}

// names are the names of one kind, the busiest first, [usage.Other] last.
func (s sums) names(kind usage.Kind) []string {
	var names []string
	for name := range s[kind] {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if a == usage.Other || b == usage.Other {
			return cmp.Compare(btoi(a == usage.Other), btoi(b == usage.Other))
		}
		x, y := s[kind][a], s[kind][b]
		return cmp.Or(
			-cmp.Compare(x.Of(usage.Sends)+x.Of(usage.Ours), y.Of(usage.Sends)+y.Of(usage.Ours)),
			-cmp.Compare(x.Of(usage.Calls), y.Of(usage.Calls)), cmp.Compare(a, b))
	})
	return names
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A table holds the figures of each step, of those names that are shown.
type table struct {
	steps int
	order map[usage.Kind][]string
	rows  map[usage.Kind]map[string][]usage.Figures
	sums  sums
}

func newTable(s sums, steps int) *table {
	t := &table{steps: steps, order: make(map[usage.Kind][]string), rows: make(map[usage.Kind]map[string][]usage.Figures), sums: s}
	for kind := range s {
		names := s.names(kind)
		if len(names) > shownNames && kind != usage.Bucket {
			for _, name := range names[shownNames:] {
				if name != usage.Other {
					s.of(kind, usage.Other).Add(s.of(kind, name))
				}
			}
			names = append(names[:shownNames], usage.Other)
		}
		t.order[kind] = names
		t.rows[kind] = make(map[string][]usage.Figures)
		for _, name := range names {
			t.rows[kind][name] = make([]usage.Figures, steps)
		}
	}
	return t
}

func (t *table) take(step int, kind usage.Kind, name string, f *usage.Figures) {
	rows, ok := t.rows[kind][name]
	if !ok {
		if rows, ok = t.rows[kind][usage.Other]; !ok {
			return // it came since the sums were made
		}
	}
	rows[step].Add(f)
}

// column is one count of one name, step by step.
func (t *table) column(kind usage.Kind, name string, value func(f *usage.Figures) int64) []int64 {
	column := make([]int64, t.steps)
	rows := t.rows[kind][name]
	for i := range rows {
		column[i] = value(&rows[i])
	}
	return column
}

func (t *table) counts(kind usage.Kind, name string, c usage.Count) []int64 {
	return t.column(kind, name, func(f *usage.Figures) int64 { return f.Of(c) })
}

func (t *table) holds(q float64) []float64 {
	column := make([]float64, t.steps)
	rows := t.rows[usage.Total][""]
	for i := range rows {
		column[i] = rows[i].Hold(q).Seconds()
	}
	return column
}

func (t *table) totals() TotalSeries {
	of := func(c usage.Count) []int64 { return t.counts(usage.Total, "", c) }
	return TotalSeries{
		Calls: of(usage.Calls), GaveUp: of(usage.GaveUp), Left: of(usage.Left), Failed: of(usage.Failed),
		Sends: of(usage.Sends), Lost: of(usage.Lost), Refusals: of(usage.Refusals), Retries: of(usage.Retries),
		SavedSends: t.column(usage.Total, "", savedSends), Held: of(usage.Held),
		HoldP50: t.holds(0.5), HoldP99: t.holds(0.99),
	}
}

func (t *table) savings() []SavedSeries {
	all := []SavedSeries{}
	sum := t.sums.of(usage.Total, "")
	for cause := limit.Cached; int(cause) < limit.Causes; cause++ {
		s := SavedSeries{Cause: cause.String(), SumCalls: sum.Of(usage.SavedCalls(cause)), SumSends: sum.Saved(cause)}
		if s.SumCalls == 0 && s.SumSends == 0 {
			continue
		}
		s.Calls = t.counts(usage.Total, "", usage.SavedCalls(cause))
		s.Sends = t.column(usage.Total, "", func(f *usage.Figures) int64 { return f.Saved(cause) })
		all = append(all, s)
	}
	return all
}

func (t *table) series(kind usage.Kind) []Series {
	all := []Series{}
	for _, name := range t.order[kind] {
		all = append(all, Series{
			Name: name, Sum: newFigures(t.sums.of(kind, name)),
			Calls: t.counts(kind, name, usage.Calls), Sends: t.counts(kind, name, usage.Sends),
			Refusals: t.counts(kind, name, usage.Refusals), GaveUp: t.counts(kind, name, usage.GaveUp),
		})
	}
	return all
}

func (t *table) buckets() []BucketSeries {
	all := []BucketSeries{}
	for _, name := range t.order[usage.Bucket] {
		s := BucketSeries{
			Bucket: name, Sum: t.sums.bucketUse(name), Limit: make([]*float64, t.steps),
			Ours: t.counts(usage.Bucket, name, usage.Ours), Others: t.counts(usage.Bucket, name, usage.Others),
			Refusals: t.counts(usage.Bucket, name, usage.Refusals), GaveUp: t.counts(usage.Bucket, name, usage.GaveUp),
		}
		rows := t.rows[usage.Bucket][name]
		for i := range rows {
			s.Limit[i] = meanLimit(&rows[i])
		}
		all = append(all, s)
	}
	return all
}

func newFigures(f *usage.Figures) Figures {
	saved := int64(0)
	for cause := limit.Cached; int(cause) < limit.Causes; cause++ {
		saved += f.Of(usage.SavedCalls(cause))
	}
	return Figures{
		Calls: f.Of(usage.Calls), Answered429: f.Of(usage.Answered429), Answered5xx: f.Of(usage.Answered5xx),
		GaveUp: f.Of(usage.GaveUp), Left: f.Of(usage.Left), Failed: f.Of(usage.Failed),
		Sends: f.Of(usage.Sends), Lost: f.Of(usage.Lost), Refusals: f.Of(usage.Refusals), Retries: f.Of(usage.Retries),
		SavedCalls: saved, SavedSends: savedSends(f),
		Held: f.Of(usage.Held), HeldSeconds: float64(f.Of(usage.HeldMicros)/1000) / 1000,
		HoldP50: f.Hold(0.5).Seconds(), HoldP99: f.Hold(0.99).Seconds(),
	}
}

func savedSends(f *usage.Figures) int64 {
	sum := int64(0)
	for cause := limit.Cached; int(cause) < limit.Causes; cause++ {
		sum += f.Saved(cause)
	}
	return sum
}

// ownBucket ends the names of the services' own buckets, which every send to a
// service draws on.
const ownBucket = "/account"

// bucketUse is a bucket's part. Whether the account has counted a send that
// died is not known: where it has not, somebody else's is taken for it.
func (s sums) bucketUse(name string) BucketUse {
	f := s.of(usage.Bucket, name)
	others := max(0, f.Of(usage.Others))
	atMost := others + (f.Of(usage.Unseen)+999)/1000
	if service, ok := strings.CutSuffix(name, ownBucket); ok {
		atMost += s.of(usage.Service, service).Of(usage.Lost)
	}
	return BucketUse{
		Limit: meanLimit(f), Ours: f.Of(usage.Ours), Others: others, OthersAtMost: atMost,
		Refusals: f.Of(usage.Refusals), GaveUp: f.Of(usage.GaveUp),
		Windows: f.Of(usage.Windows), At80: f.Of(usage.At80), At90: f.Of(usage.At90), At100: f.Of(usage.At100),
	}
}

func meanLimit(f *usage.Figures) *float64 {
	if f.Of(usage.Samples) == 0 {
		return nil
	}
	mean := math.Round(10*float64(f.Of(usage.LimitSum))/float64(f.Of(usage.Samples))) / 10
	return &mean
}
