package zendesk

import "time"

// maxCount bounds every number read from a header: no limit is larger, and
// sums of a few still fit an int of 32 bits.
const maxCount = 500_000_000

// maxWait bounds every wait and window read from a header.
const maxWait = 24 * time.Hour

// count parses a whole number in [0, maxCount]; anything else is -1.
func count(s string) int {
	s = trim(s)
	if s == "" || len(s) > 12 {
		return -1
	}
	n := int64(0)
	for i := range len(s) {
		if !isDigit(s[i]) {
			return -1
		}
		if n = n*10 + int64(s[i]-'0'); n > maxCount {
			return -1
		}
	}
	return int(n)
}

// trim cuts spaces and tabs; strings.Trim costs more than all the rest.
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// seconds parses a reset: whole seconds left, within a day. An epoch, a date
// or garbage is not one.
func seconds(s string) (time.Duration, bool) {
	n := count(s)
	if n < 0 || n > int(maxWait/time.Second) {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}
