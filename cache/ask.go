package cache

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An ask is what a request's Cache-Control says (RFC 9111, 5.2.1).
type ask struct {
	noStore      bool
	noCache      bool // or max-age=0, or Pragma where there is no Cache-Control
	onlyIfCached bool
	maxAge       time.Duration // negative: not said
	maxStale     time.Duration // negative: not said
	minFresh     time.Duration
}

// plain reports whether the request takes what others get.
func (a ask) plain() bool { return !a.noStore && !a.noCache && a.maxAge < 0 }

// never is a span longer than any age.
const never = time.Duration(1<<63 - 1)

func askOf(h http.Header) ask {
	a := ask{maxAge: -1, maxStale: -1}
	values := h["Cache-Control"]
	if values == nil {
		if pragma := h["Pragma"]; pragma != nil {
			_, a.noCache = directive(pragma, "no-cache")
		}
		return a
	}
	_, a.noStore = directive(values, "no-store")
	_, a.noCache = directive(values, "no-cache")
	_, a.onlyIfCached = directive(values, "only-if-cached")
	if value, ok := directive(values, "max-age"); ok {
		a.maxAge = seconds(value, 0)
		a.noCache = a.noCache || a.maxAge == 0
	}
	if value, ok := directive(values, "min-fresh"); ok {
		a.minFresh = seconds(value, never)
	}
	if value, ok := directive(values, "max-stale"); ok {
		a.maxStale = never
		if value != "" {
			a.maxStale = seconds(value, 0)
		}
	}
	return a
}

// directive finds one directive and its argument, unquoted, in the fields of
// a Cache-Control. Of several the first counts.
func directive(fields []string, name string) (argument string, ok bool) {
	for _, field := range fields {
		for field != "" {
			var one string
			one, field = cutDirective(field)
			key, value, _ := strings.Cut(one, "=")
			if strings.EqualFold(strings.TrimSpace(key), name) {
				return strings.Trim(strings.TrimSpace(value), `"`), true
			}
		}
	}
	return "", false
}

// cutDirective cuts a list at its first comma outside quotes.
func cutDirective(list string) (first, rest string) {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				return list[:i], list[i+1:]
			}
		}
	}
	return list, ""
}

// seconds reads a number of seconds. What is no number counts as wrong: the
// careful way to read that differs.
func seconds(text string, wrong time.Duration) time.Duration {
	n, err := strconv.ParseUint(text, 10, 64)
	switch {
	case err != nil && strings.Trim(text, "0123456789") == "" && text != "":
		return longest * 1000 // too large to count is very long
	case err != nil:
		return wrong
	}
	return time.Duration(min(n, uint64(longest*1000/time.Second))) * time.Second
}
