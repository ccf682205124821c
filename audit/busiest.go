package audit

import "time"

// Busiest returns the stretch of that length with the most calls, in whole
// minutes; all of the log when it is no longer.
func (r *Report) Busiest(span time.Duration) (from, to time.Time) {
	if len(r.Series) == 0 || r.To.Sub(r.From) <= span {
		return r.From, r.To.Add(time.Nanosecond)
	}
	most, sum, first := 0, 0, 0
	for i, s := range r.Series {
		sum += s.Sends
		for s.At.Add(r.Step).Sub(r.Series[first].At) > span && first < i {
			sum -= r.Series[first].Sends
			first++
		}
		if sum > most {
			most, from = sum, r.Series[first].At
		}
	}
	return from, from.Add(span)
}
