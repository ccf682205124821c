package budget

import (
	"time"

	"github.com/flyballhq/flyball/limit"
)

const (
	// shortest is the window below which headers come too late to steer by:
	// sends are counted by the server's clock instead.
	shortest = 5 * time.Second
	// transit is longer than a request's way to the server's counter. None is
	// sent so near a short window's end, so none is counted in the next.
	transit = 250 * time.Millisecond
)

// A short counts our sends in windows of a few seconds. It keeps no reserve.
type short struct {
	index int64 // which window of the server's clock
	sent  int
	next  instant
}

func (s *short) ask(now instant, b *window, clk *clock) (due, until instant, why limit.Reason) {
	if now < s.next {
		return 0, s.next, limit.Paced
	}
	if !s.steady(b, clk) {
		return now, 0, ""
	}
	// The window has begun for certain when even the slowest reading of the
	// clock says so.
	index := (int64(now) + clk.lo) / int64(b.w)
	ends, _ := clk.local((index + 1) * int64(b.w))
	_, begins := clk.local((index + 1) * int64(b.w))
	if index == s.index && s.sent >= b.limit || now > ends-transit {
		return 0, max(begins, now+soonest), limit.Spent
	}
	return now, 0, ""
}

func (s *short) take(now instant, b *window) {
	clk := b.clk
	gap := b.w * 2 / time.Duration(b.limit) // until the clock is known, nothing says which window a send falls into
	if s.steady(b, clk) {
		if index := (int64(now) + clk.lo) / int64(b.w); index != s.index {
			s.index, s.sent = index, 0
		}
		s.sent++
		gap = max(b.w-transit-clk.width(), b.w/4) / time.Duration(b.limit)
	}
	s.next = now + gap
}

// steady reports whether the clock is known well enough to count by.
func (s *short) steady(b *window, clk *clock) bool {
	return clk.known && clk.width() <= b.w/4
}
