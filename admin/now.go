package admin

import (
	"cmp"
	"slices"
	"time"

	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/usage"
)

// Now is the data of an event "now" of /api/events, sent at once and then once
// a second: how everything stands.
type Now struct {
	Limits  Limits          `json:"limits"`  // as at /api/limits
	Second  Figures         `json:"second"`  // of the last whole second
	Minute  Figures         `json:"minute"`  // of the last 60 seconds
	Lines   []Line          `json:"lines"`   // who waits, by bucket and class; never null
	Waiting []WaitingClient `json:"waiting"` // who waits, by client, the most first; never null
}

// A WaitingClient is how many calls of a client are held.
type WaitingClient struct {
	Client  string `json:"client"`
	Waiting int    `json:"waiting"`
}

// NewNow returns how everything stands at a time.
func NewNow(snap limit.Snapshot, at time.Time, h *usage.History, version string) Now {
	doc := Now{Limits: NewLimits(snap, version)}
	waiting := h.Waiting()
	doc.Lines, doc.Waiting = linesOf(waiting, snap.Lines, at), clientsOf(waiting)
	r, err := h.Range(at, time.Minute+time.Second, time.Second)
	if err != nil {
		return doc
	}
	var second, minute usage.Figures
	err = h.Each(r, func(step int, kind usage.Kind, _ string, f *usage.Figures) {
		if kind != usage.Total {
			return
		}
		minute.Add(f)
		if step == r.Steps-2 {
			second.Add(f)
		}
	})
	if err == nil {
		doc.Second, doc.Minute = newFigures(&second), newFigures(&minute)
	}
	return doc
}

func clientsOf(waiting []usage.Waiting) []WaitingClient {
	n := make(map[string]int)
	for _, w := range waiting {
		n[w.Client]++
	}
	all := []WaitingClient{}
	for client, waiting := range n {
		all = append(all, WaitingClient{client, waiting})
	}
	slices.SortFunc(all, func(a, b WaitingClient) int {
		return cmp.Or(-cmp.Compare(a.Waiting, b.Waiting), cmp.Compare(a.Client, b.Client))
	})
	return all[:min(len(all), shownCalls)]
}
