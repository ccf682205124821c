package audit

import (
	"net/http"
	"strings"
	"time"
)

// findOne finds lists that are read page by page until one record of them is
// found, and then only that one is used.
type findOne struct {
	waste  *waste
	sweeps *recent[sweep]
	lists  map[string]string // class of a list to that of its objects; "" for none
}

// sweep is the latest reading of a list and what followed it.
type sweep struct {
	class   string
	pages   int
	spared  int
	last    time.Time // of a page
	object  uint64    // the one that was used
	more    bool      // so were others
	example string
}

// fewPages is how many pages a list must have had: reading one page to find a
// record costs no more than a search.
const fewPages = 2

func newFindOne(a *Audit) *findOne {
	f := &findOne{waste: a.waste(FindOne), sweeps: newRecent[sweep](FindOne, mostLists, pageGap), lists: map[string]string{}}
	f.sweeps.drop = f.settle
	return f
}

func (f *findOne) take(m *moment) {
	collection, object := subject(m.path)
	if object != "" {
		f.used(m, collection)
		return
	}
	if m.Method != http.MethodGet || !m.ok || f.objectsOf(m) == "" {
		return
	}
	s, _ := f.sweeps.get(mix(m.who, m.path), m.instant())
	if further, _ := paged(m.Query); !further || m.since(s.last) > pageGap {
		f.settle(s)
		*s = sweep{class: m.class()}
	}
	s.pages++
	s.last = m.At
	if m.spared {
		s.spared++
	}
}

// used notes that an object of a list was used.
func (f *findOne) used(m *moment, collection string) {
	s := f.sweeps.find(mix(m.who, collection))
	if s == nil || s.pages < fewPages || s.more {
		return
	}
	switch {
	case s.object == 0 && m.since(s.last) <= soonAfter:
		s.object, s.example = m.route.Object, m.cite()
	case s.object == 0:
		s.more = true // it was read for something else
	case s.object != m.route.Object:
		s.more = true
	}
}

// settle counts a reading that found one.
func (f *findOne) settle(s *sweep) {
	if s.pages >= fewPages && s.object != 0 && !s.more {
		f.waste.spareEarlier(s.class, s.pages, s.spared, "", s.example+", after the list's "+plural(s.pages, "page"))
	}
	*s = sweep{}
}

// objectsOf returns the class of the calls about one object of the list that m
// reads, "" when it is no list of objects.
func (f *findOne) objectsOf(m *moment) string {
	class := m.class()
	if objects, known := f.lists[class]; known {
		return objects
	}
	request := m.audit.request
	u := *request.URL
	u.Path, u.RawQuery = strings.TrimSuffix(m.path, "/")+"/1", ""
	request.URL = &u
	objects := ""
	if route := m.audit.provider.Route(&request); route.Class == class+"/{id}" {
		objects = route.Class
	}
	f.lists[class] = objects
	return objects
}

func (f *findOne) end() { f.sweeps.each(f.settle) }

func (f *findOne) memories() []memory { return []memory{f.sweeps} }
