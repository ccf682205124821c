package audit

import (
	"strconv"
	"strings"
	"time"
)

// words takes a log line apart: words by blanks, "quoted text" and [text in
// brackets] as one word each.
type words struct{ rest string }

// next returns the next word without its quotes, and false at the end. An
// unclosed quote takes the rest.
func (w *words) next() (word string, ok bool) {
	s := strings.TrimLeft(w.rest, " \t")
	if s == "" {
		w.rest = ""
		return "", false
	}
	switch s[0] {
	case '"':
		word, w.rest = quoted(s[1:])
		return word, true
	case '[':
		if end := strings.IndexByte(s, ']'); end > 0 {
			word, w.rest = s[1:end], s[end+1:]
			return word, true
		}
	}
	// A word may hold a quoted value, as in rt="0.1".
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == ' ' || s[i] == '\t':
			word, w.rest = s[:i], s[i:]
			return word, true
		case s[i] == '"' && i > 0 && s[i-1] == '=':
			value, rest := quoted(s[i+1:])
			w.rest = rest
			return s[:i] + value, true
		}
	}
	word, w.rest = s, ""
	return word, true
}

// quoted returns what stands before the closing quote, its escapes undone, and
// what stands behind it.
func quoted(s string) (text, rest string) {
	escaped := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			text, rest = s[:i], s[i+1:]
			if escaped {
				text = unescape(text)
			}
			return text, rest
		}
	}
	return s, ""
}

// unescape undoes \", \\ and nginx's \x22.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] == 'x' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// longest bounds a duration out of a log.
const longest = 24 * time.Hour

// seconds reads "0.123"; of several, as nginx writes them of tries of an
// upstream ("0.1, 0.2"), it is the sum. What cannot be read is 0.
func seconds(text string) time.Duration {
	var sum float64
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ':' || r == ' ' }) {
		if n, err := strconv.ParseFloat(part, 64); err == nil {
			sum += n
		}
	}
	if !(sum > 0) {
		return 0
	}
	return time.Duration(min(sum, longest.Seconds()) * float64(time.Second))
}

// status reads three digits.
func status(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && len(text) == 3 && n >= 100
}

// size reads a length; "-" and garbage are 0.
func size(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// request reads "GET /path HTTP/1.1".
func (c *Call) request(text string) bool {
	method, rest, ok := strings.Cut(text, " ")
	if !ok || !isMethod(method) {
		return false
	}
	target, _, _ := strings.Cut(rest, " HTTP/")
	c.Method = method
	c.target(target)
	return strings.HasPrefix(c.Path, "/")
}

func isMethod(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return len(s) >= 3 && len(s) <= 10
}
