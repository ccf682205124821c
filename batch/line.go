package batch

import (
	"slices"
	"time"
)

// A line is what is known of the calls of one key. It decides and does not
// wait; the merger's lock guards it.
type line struct {
	key    key
	busy   int      // sends of the key that are held or under way
	held   int      // those of them that have no leave yet
	open   []*group // that take in members
	groups int      // that have not ended
}

// A step is what a call does that has just come.
type step uint8

const (
	goAlone step = iota
	join
	gather
)

// place says what m does now: it joins a group, or goes alone while nobody of
// its key is on the way, or gathers a group of its own.
func (l *line) place(now time.Time, m *member) (step, *group) {
	if m.call.NoWait {
		return goAlone, nil
	}
	if g := l.suits(now, m); g != nil {
		return join, g
	}
	if l.busy == 0 {
		return goAlone, nil
	}
	return gather, nil
}

// suits returns the most patient of the open groups that m may join. One that
// was let down before does not join a group much less patient than itself.
func (l *line) suits(now time.Time, m *member) (best *group) {
	for _, g := range l.open {
		end := g.call.Deadline
		if !m.call.MayJoin(g.call, m.patience) || m.rounds > 0 && hasty(now, end, m.patience) {
			continue
		}
		if best == nil || end.IsZero() || !best.call.Deadline.IsZero() && end.After(best.call.Deadline) {
			best = g
		}
	}
	return best
}

// hasty reports whether who waits until end waits less than half as long as
// one who waits until patience; zero is for ever.
func hasty(now, end, patience time.Time) bool {
	if end.IsZero() || patience.IsZero() {
		return !end.IsZero()
	}
	return end.Sub(now) < patience.Sub(now)/2
}

// within is the bounds of a group that gives up at end, zero for never: no
// more than a tenth of its patience is spent on gathering.
func (b bounds) within(end, now time.Time) bounds {
	if end.IsZero() {
		return b
	}
	most := max(1, end.Sub(now)/10)
	b.window = min(b.window, most)
	b.pressed = min(b.pressed, most)
	return b
}

// A verdict is what becomes of a group that gathers.
type verdict uint8

const (
	wait    verdict = iota
	press           // it waits longer: too few have come, and others are held
	send            // its one send is made, which may be held and then still takes in members
	release         // its members go alone: merging them would save nothing
	drop            // nobody is left
)

// decide says what becomes of the group now.
func (g *group) decide(now time.Time) verdict {
	n := len(g.members)
	switch {
	case n == 0:
		return drop
	case n < g.most && now.Before(g.opened.Add(g.window)) && g.line.busy > 0:
		return wait
	case n < g.least && g.pressed > 0 && g.line.held > 0 && now.Before(g.opened.Add(g.pressed)):
		return press
	case n < g.least && g.pressed > 0:
		return release
	case n < g.least && g.line.held == 0:
		return release
	default:
		return send
	}
}

// shut ends the group's openness.
func (l *line) shut(g *group) {
	if i := slices.Index(l.open, g); i >= 0 {
		l.open = slices.Delete(l.open, i, i+1)
	}
}

// ended counts out a send. The groups that gather look again when it was the
// last.
func (l *line) ended(held bool) {
	l.busy--
	if held {
		l.held--
	}
	if l.busy == 0 {
		for _, g := range l.open {
			g.nudge()
		}
	}
}

// idle reports whether the line may be forgotten.
func (l *line) idle() bool { return l.busy == 0 && l.groups == 0 }
