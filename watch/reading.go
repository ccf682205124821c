package watch

import "time"

// A Reading is what one answer said of the account's limit.
type Reading struct {
	Asked    time.Time // when the call was sent, by our clock
	Answered time.Time // when its answer's header was there
	Limit    int       // calls a window; 0 is not stated
	Left     int       // of these, this call counted
	// Reset is the time to the window's end, in whole seconds rounded up as
	// Zendesk states it; valid with HasReset.
	Reset    time.Duration
	HasReset bool
}

// A Refusal is a 429 that a call of our own met.
type Refusal struct {
	At    time.Time `json:"at"`
	Until time.Time `json:"until"` // no call is made before
	Text  string    `json:"text"`  // what the account said
}

// Read takes in what an answer said of the limit.
func (w *Watch) Read(r Reading) {
	if r.Limit <= 0 || r.Answered.Before(r.Asked) {
		return
	}
	w.limit = r.Limit
	w.trips.add(r.Answered.Sub(r.Asked))
	if r.HasReset {
		w.phase.hear(r)
	}
	w.Advance(r.Asked)
	from, to := w.phase.span(r.Asked, r.Answered)
	first, last := w.index(from), w.index(to)
	used := max(0, r.Limit-r.Left)
	if last > w.open.index && (first > w.open.index || used < w.open.used()) {
		// It was counted in a minute that has begun since it was asked for.
		first = last
		w.turn(last)
	}
	if first != last || first != w.open.index {
		return // it may belong to either minute: neither learns from it
	}
	w.open.points = append(w.open.points, point{at: from.Add(to.Sub(from) / 2), used: used, ours: w.open.ours})
	if r.Left == 0 {
		w.open.full = true
	}
	w.suspect()
}

// Refused takes in a 429 of our own: nothing is sent before until. A time that
// is not after at means the end of the window.
func (w *Watch) Refused(at, until time.Time, text string) Refusal {
	w.Advance(at)
	if end := w.local(w.start(w.open.index + 1)); !until.After(at) {
		until = end
	}
	r := Refusal{At: at, Until: until, Text: text}
	w.open.refused++
	w.hold(until)
	w.s.Refusals = append(w.s.Refusals, r)
	w.s.Refused++
	if n := len(w.s.Refusals); n > mostRefusals {
		w.s.Refusals = w.s.Refusals[n-mostRefusals:]
	}
	return r
}

// Held takes in that a call was not sent, since too little is left: nothing is
// sent before until, or until the minute ends, for then there is more.
func (w *Watch) Held(at, until time.Time) {
	w.Advance(at)
	if end := w.End(); until.After(end) {
		until = end
	}
	w.hold(until)
}

func (w *Watch) hold(until time.Time) {
	if until.After(w.until) {
		w.until = until
	}
}

// mostRefusals is how many of the latest refusals are kept in full.
const mostRefusals = 100
