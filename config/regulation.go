package config

import (
	"time"

	"github.com/flyballhq/flyball"
)

// regulation is how much of the account may be used, in the transport's terms.
func (a *Account) regulation() flyball.Regulation {
	r := flyball.Regulation{
		AtMost:   a.AtMost.calls(),
		KeepFree: a.KeepFree.Calls, KeepFreeShare: float64(a.KeepFree.Share),
		Politeness: float64(a.Politeness), Burst: float64(a.Burst),
	}
	if r.Politeness == 0 {
		r.Politeness = -1 // what the transport calls "nothing"
	}
	return r
}

// quotas bounds the clients that have a bound, by name.
func (a *Account) quotas() map[string]flyball.Quota {
	var all map[string]flyball.Quota
	for i := range a.Clients {
		c := &a.Clients[i]
		q := flyball.Quota{AtMost: c.AtMost.calls()}
		if c.MaxShare < 1 { // all of it is no bound
			q.MaxShare = float64(c.MaxShare)
		}
		if q == (flyball.Quota{}) {
			continue
		}
		if all == nil {
			all = make(map[string]flyball.Quota)
		}
		all[string(c.Name)] = q
	}
	return all
}

// calls is the rate in whole calls a minute, as the transport counts them; 0
// is no bound. The validator refuses rates that are none.
func (r Rate) calls() int { return int(r.PerMinute()) }

// rate refuses a rate that the transport cannot keep exactly.
func (v validator) rate(r Rate, key string) {
	minutes := int64(r.Per / time.Minute) // 0 for a rate by the second
	switch {
	case r.Calls == 0: // no bound, or told of already
	case r.PerMinute() > maxCount:
		v.wrong([]string{key}, "%s is over %d calls a minute (leave it out for no bound)", r, maxCount)
	case r.PerMinute() < 1:
		v.wrong([]string{key}, "%s is less than one call a minute, and rates are kept by the minute (write 1/min)", r)
	case minutes > 0 && int64(r.Calls)%minutes != 0:
		v.wrong([]string{key}, "%s is no whole number of calls a minute, and rates are kept by the minute (write %d/min)", r, r.calls())
	}
}
