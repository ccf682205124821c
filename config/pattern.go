package config

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A Pattern is a text in which each * stands for any letters or none. Case
// does not matter.
type Pattern string

// UnmarshalText reads a pattern.
func (p *Pattern) UnmarshalText(text []byte) error {
	switch s := string(text); {
	case !printable(s) || len(s) > 256:
		return fmt.Errorf("%s is not a pattern of 1 to 256 printable ASCII letters", quote(text))
	case strings.Trim(s, "* ") == "":
		return fmt.Errorf("%s matches everybody (leave the client out: what is said for the account holds for everybody)", quote(text))
	}
	*p = Pattern(text)
	return nil
}

func (p Pattern) String() string { return string(p) }

// matches reports whether the whole of s fits p.
func (p Pattern) matches(s string) bool { return glob(strings.ToLower(string(p)), strings.ToLower(s)) }

// glob takes time in proportion to len(p)*len(s) at most: on a mismatch only
// the last * is tried again, one letter on.
func glob(p, s string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && p[i] == s[j]:
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}

// A RoutePattern is a path, with or without a method before it. A * between
// slashes stands for one segment, and for the whole rest at the end:
// GET /api/v2/incremental/*
type RoutePattern struct {
	Method   string // "" is any
	Segments []string
	Rest     bool // anything may follow
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// UnmarshalText reads a route.
func (r *RoutePattern) UnmarshalText(text []byte) error {
	method, path, ok := strings.Cut(string(text), " ")
	if !ok {
		method, path = "", method
	}
	path = strings.TrimSpace(path)
	switch {
	case method != "" && !slices.Contains(methods, method):
		return fmt.Errorf("%s: %s is not a method (write GET /api/v2/incremental/*, or the path alone for every method)", quote(text), quote([]byte(method)))
	case !strings.HasPrefix(path, "/") || !printable(path) || strings.ContainsAny(path, " ?#"):
		return fmt.Errorf("%s is not a route (write GET /api/v2/incremental/*, or the path alone for every method)", quote(text))
	case path == "/*" && method == "":
		return fmt.Errorf("%s matches every call (what is said for the account holds for all of them)", quote(text))
	}
	segments := split(path)
	rest := segments[len(segments)-1] == "*"
	if rest {
		segments = segments[:len(segments)-1]
	}
	for _, s := range segments {
		if strings.Contains(s, "*") && s != "*" {
			return fmt.Errorf("%s: * stands for a whole segment, not for a part of %s", quote(text), quote([]byte(s)))
		}
	}
	*r = RoutePattern{method, segments, rest}
	return nil
}

// String writes a route as it is read; "" is none.
func (r RoutePattern) String() string {
	if len(r.Segments) == 0 && !r.Rest {
		return ""
	}
	path := "/" + strings.Join(r.Segments, "/")
	if r.Rest {
		path = strings.TrimSuffix(path, "/") + "/*"
	}
	return strings.TrimSpace(r.Method + " " + path)
}

// matches reports whether a call is on this route. A path's .json, and the
// slash at its end, do not matter; HEAD counts as its GET.
func (r RoutePattern) matches(method, path string) bool {
	if method == http.MethodHead && r.Method == http.MethodGet {
		method = http.MethodGet
	}
	if r.Method != "" && r.Method != method {
		return false
	}
	return r.fits(split(path))
}

func (r RoutePattern) fits(segments []string) bool {
	if len(segments) < len(r.Segments) || len(segments) > len(r.Segments) && !r.Rest {
		return false
	}
	for i, want := range r.Segments {
		if want != "*" && want != segments[i] {
			return false
		}
	}
	return true
}

// covers reports whether every call that fits other fits r.
func (r RoutePattern) covers(other RoutePattern) bool {
	if r.Method != "" && r.Method != other.Method || other.Rest && !r.Rest {
		return false
	}
	return r.fits(other.Segments)
}

func split(path string) []string {
	path = strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".json")
	return strings.Split(strings.TrimPrefix(path, "/"), "/")
}
