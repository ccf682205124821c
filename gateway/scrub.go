package gateway

import (
	"regexp"
	"strings"
)

// What a secret looks like in a text: the words that announce one, a URL's
// user, a query's values, and anything long and patternless.
var (
	headers   = regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|set-cookie|cookie)(["']?\s*[:=]\s*["']?)[^"'\n]+`)
	announced = regexp.MustCompile(`(?i)\b(basic|bearer|token|secret|password|api[_-]?key)(["']?\s*[:= /]\s*["']?)[^\s"',;&]+`)
	userinfo  = regexp.MustCompile(`//[^/@\s"]+@`)
	query     = regexp.MustCompile(`([?&][^=&\s"]*=)[^&\s"]+`)
	opaque    = regexp.MustCompile(`[A-Za-z0-9_+=.~-]{16,}`)
)

// maxText bounds a scrubbed text in bytes.
const maxText = 500

// scrub returns s without anything that could be a credential, short enough
// for a log line. It would rather hide too much: an id of a job, say.
func scrub(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + " [cut]"
	}
	s = userinfo.ReplaceAllString(s, "//[hidden]@")
	s = query.ReplaceAllString(s, "${1}[hidden]")
	s = headers.ReplaceAllString(s, "${1}${2}[hidden]")
	s = announced.ReplaceAllString(s, "${1}${2}[hidden]")
	return opaque.ReplaceAllStringFunc(s, func(run string) string {
		if looksRandom(run) {
			return "[hidden]"
		}
		return run
	})
}

// looksRandom tells a token from a long name: names are words in one case,
// joined by signs, with at most a short number among them.
func looksRandom(run string) bool {
	for part := range strings.FieldsFuncSeq(run, func(r rune) bool { return strings.ContainsRune("_-.~+=", r) }) {
		if len(part) >= 12 && (mixed(part) || len(part) >= 24) {
			return true
		}
	}
	return false
}

// mixed reports whether s mixes digits with letters, or cases past the first
// letter.
func mixed(s string) bool {
	digits := strings.ContainsAny(s, "0123456789")
	lower := strings.ToUpper(s) != s
	upper := strings.ToLower(s[1:]) != s[1:]
	return digits && (lower || upper) || lower && upper
}
