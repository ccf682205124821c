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

// covers reports whether everything that fits other fits p.
func (p Pattern) covers(other Pattern) bool { return glob(p.lower(), other.lower()) }

func (p Pattern) lower() string { return strings.ToLower(string(p)) }

// glob reports whether the whole of s fits p. It takes time in proportion to len(p)*len(s) at most: on a mismatch only
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
	}
	segments := strings.Split(trimmed(path), "/")
	rest := segments[len(segments)-1] == "*"
	if rest {
		segments = segments[:len(segments)-1]
	}
	if rest && len(segments) == 0 && method == "" {
		return fmt.Errorf("%s matches every call (what is said for the account holds for all of them)", quote(text))
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
	segments := slices.Clone(r.Segments)
	if r.Rest {
		segments = append(segments, "*")
	}
	return strings.TrimSpace(r.Method + " /" + strings.Join(segments, "/"))
}

// matches reports whether a call is on this route. The path is a trimmed one;
// HEAD counts as its GET.
func (r RoutePattern) matches(method, path string) bool {
	if method == http.MethodHead && r.Method == http.MethodGet {
		method = http.MethodGet
	}
	return (r.Method == "" || r.Method == method) && r.fits(path)
}

func (r RoutePattern) fits(path string) bool {
	more := true
	for _, want := range r.Segments {
		if !more {
			return false
		}
		var segment string
		segment, path, more = strings.Cut(path, "/")
		if want != "*" && want != segment {
			return false
		}
	}
	return !more || r.Rest
}

// covers reports whether every call that fits other fits r.
func (r RoutePattern) covers(other RoutePattern) bool {
	switch {
	case r.Method != "" && r.Method != other.Method, other.Rest && !r.Rest:
		return false
	case len(other.Segments) == 0:
		return len(r.Segments) == 0
	}
	return r.fits(strings.Join(other.Segments, "/"))
}

// trimmed is a path without the slash before it, and without what may stand at
// its end and makes no difference.
func trimmed(path string) string {
	for {
		shorter := strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".json")
		if shorter == path {
			return strings.TrimPrefix(path, "/")
		}
		path = shorter
	}
}
