package audit

import (
	"net/http"
	"time"
)

// spans are the lifetimes that are tried.
var spans = [...]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour}

// usual is the lifetime of which the finding speaks: a minute.
const usual = 1

// lifetimes plays a private cache of each lifetime: one entry per caller and
// URL, dropped by a write that passes it.
type lifetimes struct {
	waste  *waste
	seen   *recent[kept]
	all    [len(spans)]Lifetime
	routes map[string]*routeLives
	from   instant // of the first read
	to     instant // of the latest
}

// routeLives is what caches of each lifetime would have answered of one kind.
type routeLives [len(spans)]struct {
	Lifetime
	sure int // of Known, those that ETags or bodies show and not lengths alone
}

// kept is what a cache of each lifetime holds of one URL.
type kept [len(spans)]struct {
	at   instant
	body version
}

func newLifetimes(a *Audit) *lifetimes {
	return &lifetimes{waste: a.waste(Repeats), seen: newRecent[kept](Repeats, mostURLs, spans[len(spans)-1]), routes: map[string]*routeLives{}}
}

func (l *lifetimes) take(m *moment) {
	same := m.Status == http.StatusNotModified
	if !m.cacheable() || !m.ok && !same {
		return
	}
	if l.to = m.instant(); l.from == 0 {
		l.from = l.to
	}
	now := m.version()
	entry, _ := l.seen.get(m.url, m.instant())
	for i, span := range spans {
		e := &entry[i]
		if e.at == 0 || m.since(e.at.time()) >= span || m.audit.written.since(m.path, e.at.time()) {
			e.at, e.body = m.instant(), now
			continue
		}
		if same {
			now = e.body
		}
		outdated := l.hit(m, i, e.body, now)
		if i == usual && !outdated {
			l.waste.spare(m, "", ", "+m.since(e.at.time()).Round(time.Second).String()+" after it was read")
		}
	}
}

// hit counts a call that the cache would have answered, and reports whether
// with an old body.
func (l *lifetimes) hit(m *moment, i int, was, now version) (outdated bool) {
	route := l.routes[m.class()]
	if route == nil {
		route = new(routeLives)
		l.routes[m.class()] = route
	}
	known := was.digest != 0 && now.digest != 0
	outdated = known && was != now
	for _, t := range []*Lifetime{&l.all[i], &route[i].Lifetime} {
		t.Calls++
		if known {
			t.Known++
		}
		if outdated {
			t.Outdated++
		}
	}
	if known && min(was.evidence, now.evidence) > sameSize {
		route[i].sure++
	}
	return outdated
}

func (l *lifetimes) end()               {}
func (l *lifetimes) memories() []memory { return []memory{l.seen} }

func (l *lifetimes) table(sends int) []Lifetime {
	if l.all[len(spans)-1].Calls == 0 {
		return nil
	}
	var rows []Lifetime
	for i, row := range l.all {
		row.Seconds = int(spans[i].Seconds())
		row.Percent = percent(row.Calls, sends)
		rows = append(rows, row)
	}
	return rows
}

// best is the longest lifetime on a route whose answers would have been
// outdated one time in a hundred at most; 0 when none is. Where the log does
// not show it, the shortest; where only lengths do, a minute at most, for what
// has changed may be as long as before. It is no longer than the log.
func (l *lifetimes) best(class string) (time.Duration, int) {
	route := l.routes[class]
	if route == nil {
		return 0, 0
	}
	var span time.Duration
	calls := 0
	for i, row := range route {
		switch {
		case row.Outdated*100 > row.Known, i > 0 && row.Known*2 < row.Calls, i > usual && row.sure*2 < row.Known,
			i > 0 && spans[i] > time.Duration(l.to-l.from):
			return span, calls
		}
		if row.Calls > calls {
			span, calls = spans[i], row.Calls
		}
	}
	return span, calls
}
