package simulator

import (
	"strconv"
	"strings"
)

const maxSegments = 10

// route is a request's path taken apart, without the optional ".json".
type route struct {
	parts [maxSegments]string
	n     int
}

func splitPath(path string) route {
	var r route
	path = strings.TrimSuffix(path, ".json")
	for len(path) > 0 && r.n < maxSegments {
		path = strings.TrimLeft(path, "/")
		if path == "" {
			break
		}
		part, rest, _ := strings.Cut(path, "/")
		r.parts[r.n] = part
		r.n++
		path = rest
	}
	return r
}

// family is the first part that tells endpoints apart: "tickets" of
// /api/v2/tickets/1.
func (r *route) family() string {
	if r.n > 2 && r.parts[0] == "api" && r.parts[1] == "v2" {
		return r.parts[2]
	}
	return r.parts[0]
}

// pattern is a method and a path with placeholders: {id} is a number, {any} a
// part, ** whatever follows, if anything.
type pattern struct {
	method string
	route  route
}

func parsePattern(text string) pattern {
	method, path, _ := strings.Cut(text, " ")
	return pattern{method: method, route: splitPath(path)}
}

// matches reports whether the call fits, and the last {id} it has.
func (p *pattern) matches(method string, r *route) (id uint64, ok bool) {
	if p.method != method && p.method != "*" {
		return 0, false
	}
	for i := range p.route.n {
		want := p.route.parts[i]
		if want == "**" {
			return id, true
		}
		if i >= r.n {
			return 0, false
		}
		switch want {
		case "{any}":
		case "{id}":
			n, err := strconv.ParseUint(r.parts[i], 10, 64)
			if err != nil {
				return 0, false
			}
			id = n
		default:
			if want != r.parts[i] {
				return 0, false
			}
		}
	}
	return id, r.n == p.route.n
}
