package zendesk

import (
	"net/http"
	"strings"
	"time"
)

// retryAfter reads the header's values: whole seconds, decimals (rounded up to
// a millisecond), or a date, which is taken relative to the answer's own Date
// and counts as not stated without one. Of several values the longest is
// taken. The result is in [0, 24 h].
func retryAfter(values []string, date time.Time) (wait time.Duration, ok bool) {
	for _, v := range values {
		d, valid := waitOf(trim(v), date)
		if valid && (!ok || d > wait) {
			wait, ok = d, true
		}
	}
	return wait, ok
}

func waitOf(v string, date time.Time) (time.Duration, bool) {
	if v == "" {
		return 0, false
	}
	if isDigit(v[0]) || v[0] == '.' {
		return decimalSeconds(v)
	}
	at := parseDate(v)
	if at.IsZero() || date.IsZero() {
		return 0, false
	}
	return min(max(0, at.Sub(date)), maxWait), true
}

// decimalSeconds parses "12" and "0.25", rounded up to a millisecond. More
// than a day is a day, for it says clearly enough not to come back soon.
func decimalSeconds(v string) (time.Duration, bool) {
	whole, fraction, hasPoint := strings.Cut(v, ".")
	if !digitsOnly(whole) || !digitsOnly(fraction) || whole == "" && fraction == "" || hasPoint && fraction == "" {
		return 0, false
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > 6 {
		return maxWait, true
	}
	ms, scale := time.Duration(0), 100
	for i := range len(whole) {
		ms = ms*10 + time.Duration(whole[i]-'0')
	}
	ms *= 1000
	for i := range len(fraction) {
		switch {
		case scale > 0:
			ms += time.Duration(int(fraction[i]-'0') * scale)
			scale /= 10
		case fraction[i] != '0':
			return min((ms+1)*time.Millisecond, maxWait), true
		}
	}
	return min(ms*time.Millisecond, maxWait), true
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// parseDate parses an HTTP date, the zero time when it is none. The form that
// servers send is read by hand, for it is read once an answer.
func parseDate(s string) time.Time {
	if t, ok := fixedDate(s); ok {
		return t
	}
	t, err := http.ParseTime(s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// fixedDate parses "Mon, 02 Jan 2006 15:04:05 GMT" and nothing else.
func fixedDate(s string) (time.Time, bool) {
	if len(s) != len(http.TimeFormat) || s[3] != ',' || s[4] != ' ' || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' ||
		s[19] != ':' || s[22] != ':' || s[25:] != " GMT" {
		return time.Time{}, false
	}
	day, month, year := two(s[5:]), monthOf(s[8:11]), two(s[12:])*100+two(s[14:])
	hour, minute, second := two(s[17:]), two(s[20:]), two(s[23:])
	if day < 1 || day > 28 && day > daysIn(month, year) || month == 0 || year < 1970 ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 ||
		!weekday(s[:3]) {
		return time.Time{}, false
	}
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC), true
}

// two parses two digits; anything else is far below zero.
func two(s string) int {
	if !isDigit(s[0]) || !isDigit(s[1]) {
		return -100000
	}
	return int(s[0]-'0')*10 + int(s[1]-'0')
}

func monthOf(s string) time.Month {
	const names = "JanFebMarAprMayJunJulAugSepOctNovDec"
	for i := 0; i < len(names); i += 3 {
		if names[i:i+3] == s {
			return time.Month(i/3 + 1)
		}
	}
	return 0
}

func weekday(s string) bool {
	const names = "SunMonTueWedThuFriSat"
	for i := 0; i < len(names); i += 3 {
		if names[i:i+3] == s {
			return true
		}
	}
	return false
}

func daysIn(m time.Month, year int) int {
	return time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
