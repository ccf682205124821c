package audit

import (
	"slices"
	"time"
)

// mostSlots bounds the series; when it is full, two slots become one.
const mostSlots = 4096

// series is the traffic over time, in slots that grow with its length.
type series struct {
	slots []Slot
	step  time.Duration
}

func newSeries() series { return series{step: time.Minute} }

func (s *series) add(m Minute) {
	at := m.At.Truncate(s.step)
	if n := len(s.slots); n > 0 && s.slots[n-1].At.Equal(at) {
		last := &s.slots[n-1]
		last.Sends += m.Sends
		last.Refused += m.Refused
		last.Peak = max(last.Peak, m.Sends)
		return
	}
	if len(s.slots) == mostSlots {
		s.coarsen()
		s.add(m)
		return
	}
	s.slots = append(s.slots, Slot{At: at.UTC(), Sends: m.Sends, Refused: m.Refused, Peak: m.Sends})
}

func (s *series) coarsen() {
	for len(s.slots) > mostSlots/2 {
		s.step *= 2
		old := slices.Clone(s.slots)
		s.slots = s.slots[:0]
		for _, slot := range old {
			at := slot.At.Truncate(s.step)
			if n := len(s.slots); n > 0 && s.slots[n-1].At.Equal(at) {
				last := &s.slots[n-1]
				last.Sends += slot.Sends
				last.Refused += slot.Refused
				last.Peak = max(last.Peak, slot.Peak)
				continue
			}
			slot.At = at
			s.slots = append(s.slots, slot)
		}
	}
}
