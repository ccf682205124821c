package desk

import (
	"strconv"
	"strings"
)

// Match says which endpoint a method and path belong to.
type Match struct {
	Pattern string // as in [Endpoints]; empty if not Known
	ID      uint64 // the first record id in the path; 0 if there is none
	Job     bool   // the endpoint starts a background job
	Known   bool   // the desk has the endpoint
}

// Find says which endpoint a call belongs to, without calling it. The path is
// escaped and may end in ".json"; HEAD counts as GET. It is cheap and needs no
// Desk.
func Find(method, path string) Match {
	var args [maxArgs]string
	e := find(method, path, &args)
	if e == nil {
		return Match{}
	}
	m := Match{Pattern: e.pattern, Job: e.job, Known: true}
	if e.numbered {
		m.ID, _ = strconv.ParseUint(args[0], 10, 64)
	}
	return m
}

// Endpoints lists what the desk answers, as "GET /api/v2/tickets", in the
// order of the API's resources.
func Endpoints() []string {
	list := make([]string, len(endpoints))
	for i, e := range endpoints {
		list[i] = e.pattern
	}
	return list
}

// maxArgs is the most {placeholders} a pattern has.
const maxArgs = 3

type endpoint struct {
	pattern  string // "GET /api/v2/tickets/{id}"
	serve    func(*call) answer
	job      bool // starts a background job
	open     bool // needs no credentials
	numbered bool // the first placeholder is a record's id
}

// segment is one step of the tree of paths.
type segment struct {
	named    map[string]*segment
	any      *segment // {placeholder}
	byMethod map[string]*endpoint
}

var (
	endpoints = list()
	root      = plant(endpoints)
)

func plant(all []endpoint) *segment {
	top := &segment{}
	for i := range all {
		e := &all[i]
		method, path, _ := strings.Cut(e.pattern, " ")
		at := top
		for part := range strings.SplitSeq(path[1:], "/") {
			at = at.grow(part)
			if part == "{id}" && strings.Count(path[:strings.Index(path, part)], "{") == 0 {
				e.numbered = true
			}
		}
		if at.byMethod == nil {
			at.byMethod = map[string]*endpoint{}
		}
		at.byMethod[method] = e
	}
	return top
}

func (s *segment) grow(part string) *segment {
	if part[0] == '{' {
		if s.any == nil {
			s.any = &segment{}
		}
		return s.any
	}
	if s.named == nil {
		s.named = map[string]*segment{}
	}
	if s.named[part] == nil {
		s.named[part] = &segment{}
	}
	return s.named[part]
}

func find(method, path string, args *[maxArgs]string) *endpoint {
	if method == "HEAD" {
		method = "GET"
	}
	if len(path) == 0 || path[0] != '/' {
		return nil
	}
	return root.find(method, plainPath(path)[1:], args, 0)
}

// find prefers a named step to a placeholder, and tries the placeholder if the
// named one leads nowhere.
func (s *segment) find(method, path string, args *[maxArgs]string, n int) *endpoint {
	if path == "" {
		return s.byMethod[method]
	}
	part, rest, _ := strings.Cut(path, "/")
	if next := s.named[part]; next != nil {
		if e := next.find(method, rest, args, n); e != nil {
			return e
		}
	}
	if s.any == nil || part == "" || n == maxArgs {
		return nil
	}
	args[n] = part
	return s.any.find(method, rest, args, n+1)
}

// plainPath drops what may follow an endpoint's path: ".json" and a slash.
func plainPath(path string) string {
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return strings.TrimSuffix(path, ".json")
}
