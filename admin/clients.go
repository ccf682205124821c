package admin

import (
	"math"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/usage"
)

// Clients is the document at /api/clients: who used the account over some
// time. Shares are percents of all sends, ours and others'.
type Clients struct {
	Account       string    `json:"account"`
	At            time.Time `json:"at"`
	From          time.Time `json:"from"`
	To            time.Time `json:"to"`
	Since         time.Time `json:"since"` // what is remembered at this resolution begins here
	WindowSeconds float64   `json:"window_seconds"`

	Ours    Figures        `json:"ours"`    // all clients together
	Others  Others         `json:"others"`  // what did not pass flyball
	Clients []ClientUse    `json:"clients"` // the busiest first, then "(other)"; never null
	Buckets []BucketTotals `json:"buckets"` // how near the limits it was; never null
}

// Others is the use of the account that did not pass flyball: an estimate, out
// of what the account's answers say is left.
type Others struct {
	Sends        int64   `json:"sends"`         // seen: the account counted so many
	AtMost       int64   `json:"at_most"`       // with what they likely sent when no answer of ours told, and what our lost sends may hide
	SharePercent float64 `json:"share_percent"` // of Sends
	ShareAtMost  float64 `json:"share_at_most_percent"`
}

// A ClientUse is one client's part.
type ClientUse struct {
	Client       string  `json:"client"`
	SharePercent float64 `json:"share_percent"` // its sends of all, ours and others'
	Figures
	Classes  ClassCalls `json:"classes"`
	Waiting  int        `json:"waiting"`   // its calls held now
	LastSeen time.Time  `json:"last_seen"` // the beginning of the last step in which it did anything
}

// ClassCalls counts calls by class.
type ClassCalls struct {
	Interactive int64 `json:"interactive"`
	Normal      int64 `json:"normal"`
	Bulk        int64 `json:"bulk"`
}

// BucketTotals is a bucket's use over the whole time.
type BucketTotals struct {
	Bucket string `json:"bucket"`
	BucketUse
}

// NewClients returns the document for a range of a history.
func NewClients(account string, at time.Time, h *usage.History, r usage.Range) (Clients, error) {
	doc := Clients{
		Account: account, At: at.UTC(), From: r.From.UTC(), To: r.To().UTC(), Since: r.Since.UTC(),
		WindowSeconds: (time.Duration(r.Steps) * r.Step).Seconds(),
		Clients:       []ClientUse{}, Buckets: []BucketTotals{},
	}
	all, seen := make(sums), make(map[string]int)
	err := h.Each(r, func(step int, kind usage.Kind, name string, f *usage.Figures) {
		all.of(kind, name).Add(f)
		if kind == usage.Client {
			seen[name] = step
		}
	})
	if err != nil {
		return doc, err
	}
	for _, name := range all.names(usage.Bucket) {
		doc.Buckets = append(doc.Buckets, BucketTotals{name, all.bucketUse(name)})
	}
	doc.Ours = newFigures(all.of(usage.Total, ""))
	doc.Others = othersOf(doc.Buckets)
	sends := doc.Ours.Sends + doc.Others.Sends
	doc.Others.SharePercent = percent(doc.Others.Sends, sends)
	doc.Others.ShareAtMost = percent(doc.Others.AtMost, doc.Ours.Sends+doc.Others.AtMost)
	waiting := make(map[string]int)
	for _, w := range h.Waiting() {
		waiting[w.Client]++
		if _, ok := seen[w.Client]; !ok { // its first call waits
			all.of(usage.Client, w.Client)
			seen[w.Client] = r.Steps - 1
		}
	}
	for _, name := range all.names(usage.Client) {
		f := all.of(usage.Client, name)
		doc.Clients = append(doc.Clients, ClientUse{
			Client: name, SharePercent: percent(f.Of(usage.Sends), sends), Figures: newFigures(f),
			Classes: ClassCalls{
				Interactive: f.Of(usage.CallsOf(limit.Interactive)),
				Normal:      f.Of(usage.CallsOf(limit.Normal)),
				Bulk:        f.Of(usage.CallsOf(limit.Bulk)),
			},
			Waiting: waiting[name], LastSeen: r.From.Add(time.Duration(seen[name]) * r.Step).UTC(),
		})
	}
	return doc, nil
}

// othersOf adds up the services' own counters. What an endpoint's bucket
// counts, its service's counts too.
func othersOf(buckets []BucketTotals) (o Others) {
	for _, b := range buckets {
		if strings.HasSuffix(b.Bucket, ownBucket) {
			o.Sends += b.Others
			o.AtMost += b.OthersAtMost
		}
	}
	return o
}

func percent(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return math.Round(1000*float64(part)/float64(whole)) / 10
}
