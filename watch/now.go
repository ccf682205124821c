package watch

import "time"

// Now is the minute under way.
type Now struct {
	Limit int
	Used  int // at the last reading of it
}

// Now returns the minute under way.
func (w *Watch) Now(now time.Time) Now {
	w.Advance(now)
	return Now{Limit: w.limit, Used: w.open.used()}
}
