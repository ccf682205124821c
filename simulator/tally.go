package simulator

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// tally adds up raw records.
type tally struct {
	sends, decided, cuts, dropped int
	status                        map[int]int
	refusals                      map[refusal]int
	changed                       map[string]int
	duplicates                    int
	others, othersRefused         int
	windows                       map[windowKey]*Window

	second   int64 // the latest second of arrivals
	inSecond int
	peak     int
	peakAt   int64
}

type refusal struct{ cause, victim string }

type windowKey struct {
	bucket bucket
	start  int64
}

func newTally() *tally {
	return &tally{
		status: make(map[int]int), refusals: make(map[refusal]int),
		changed: make(map[string]int), windows: make(map[windowKey]*Window),
	}
}

// clone is a copy to go on counting in.
func (t *tally) clone() *tally {
	c := *t
	c.status, c.refusals, c.changed = maps.Clone(t.status), maps.Clone(t.refusals), maps.Clone(t.changed)
	c.windows = make(map[windowKey]*Window, len(t.windows))
	for k, w := range t.windows {
		copied := *w
		c.windows[k] = &copied
	}
	return &c
}

// record adds one request; requests come in order of arrival.
func (t *tally) record(r *record) {
	t.sends++
	t.arrival(r.arrived.Unix())
	if r.decided.IsZero() {
		return
	}
	t.decided++
	if r.cut {
		t.cuts++
	}
	if r.status != 0 {
		t.status[r.status]++
	}
	if r.cause != "" {
		t.refusals[refusal{r.cause, "us"}]++
	}
	t.duplicates += r.changed.duplicates
	for _, c := range r.changed.list {
		t.changed[c.what] += c.n
	}
	for _, b := range r.draws {
		w := t.window(b)
		w.Sends++
		w.Cost += b.rule.cost
		switch r.cause {
		case "":
			w.Admitted++
		case b.rule.name:
			w.Refused++
		}
	}
}

func (t *tally) arrival(second int64) {
	if second != t.second {
		t.second, t.inSecond = second, 0
	}
	t.inSecond++
	if t.inSecond > t.peak {
		t.peak, t.peakAt = t.inSecond, second
	}
}

// other adds one call of the others.
func (t *tally) other(f otherCall, account *rule) {
	t.others++
	w := t.window(counted{bucket{rule: account}, f.start, f.end})
	w.Others++
	if f.refused {
		t.othersRefused++
		w.OthersRefused++
		t.refusals[refusal{account.name, "others"}]++
	}
}

// window is the row of a bucket in its window: the one that the reset follows,
// not the skewed counter's, which must not hide what was sent when.
func (t *tally) window(b counted) *Window {
	k := windowKey{b.bucket, b.start}
	row := t.windows[k]
	if row == nil {
		row = &Window{Bucket: b.name(), Start: time.Unix(0, b.start).UTC(), Length: time.Duration(b.end - b.start), Limit: b.rule.n}
		t.windows[k] = row
	}
	return row
}

// trim forgets the oldest windows when there are more than so many.
func (t *tally) trim(most int) {
	if len(t.windows) <= most {
		return
	}
	rows := t.rows()
	slices.SortFunc(rows, func(a, b Window) int { return a.Start.Compare(b.Start) })
	oldest := rows[len(rows)-most/2].Start.UnixNano()
	maps.DeleteFunc(t.windows, func(k windowKey, _ *Window) bool { return k.start < oldest })
}

// rows lists the windows by bucket, then by time.
func (t *tally) rows() []Window {
	rows := make([]Window, 0, len(t.windows))
	for _, w := range t.windows {
		rows = append(rows, *w)
	}
	slices.SortFunc(rows, func(a, b Window) int {
		if a.Bucket != b.Bucket {
			return strings.Compare(a.Bucket, b.Bucket)
		}
		return a.Start.Compare(b.Start)
	})
	return rows
}
