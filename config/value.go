package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Duration is written 8s, 2m or 1h30m and is never negative.
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil && isNumber(string(text)) {
		return fmt.Errorf("%s has no unit (write %ss or %sm)", quote(text), text, text)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s is not a duration (write 8s, 2m or 1h30m)", quote(text))
	case v < 0:
		return fmt.Errorf("%s is negative (write 8s, 2m or 1h30m)", quote(text))
	}
	*d = Duration(v)
	return nil
}

// String writes a duration without zeros at its end: 1m, not 1m0s.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// A Rate is so many calls in a span: 300/min, 5/s, 18000/h. The zero value is
// no rate at all.
type Rate struct {
	Calls int
	Per   time.Duration
}

// UnmarshalText reads a rate.
func (r *Rate) UnmarshalText(text []byte) error {
	calls, unit, ok := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(strings.TrimSpace(calls))
	per := spans[strings.TrimSpace(unit)]
	switch {
	case !ok && err == nil:
		return fmt.Errorf("%s does not say per what (write %d/min or %d/s)", quote(text), n, n)
	case !ok, err != nil:
		return fmt.Errorf("%s is not a rate (write 300/min, 5/s or 18000/h)", quote(text))
	case per == 0:
		return fmt.Errorf("%s: %s is not s, min or h (write 300/min, 5/s or 18000/h)", quote(text), quote([]byte(unit)))
	case n <= 0:
		return fmt.Errorf("%s lets no call pass (write 1/%s or more, or leave it out for no bound)", quote(text), unit)
	case n > maxCount:
		return fmt.Errorf("%s is over %d calls (leave it out for no bound)", quote(text), maxCount)
	}
	*r = Rate{n, per}
	return nil
}

var spans = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hour": time.Hour,
}

// String writes a rate; "" is none.
func (r Rate) String() string {
	switch {
	case r.Calls == 0:
		return ""
	case r.Per == time.Second:
		return fmt.Sprintf("%d/s", r.Calls)
	case r.Per == time.Hour:
		return fmt.Sprintf("%d/h", r.Calls)
	}
	return fmt.Sprintf("%d/min", r.Calls)
}

// PerMinute is the rate in calls a minute, 0 for none.
func (r Rate) PerMinute() float64 {
	if r.Calls == 0 {
		return 0
	}
	return float64(r.Calls) * float64(time.Minute) / float64(r.Per)
}

// A Share is a part of a whole, 0 to 1, written 50% or 0.5.
type Share float64

// UnmarshalText reads a share.
func (s *Share) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(string(text), "%")
	v, err := number64(number)
	if percent {
		v /= 100
	}
	if err != nil || v < 0 || v > 1 {
		return fmt.Errorf("%s is not a share of 0%% to 100%% (write 50%% or 0.5)", quote(text))
	}
	*s = Share(math.Round(v*1e8) / 1e8)
	return nil
}

// String writes a share in percent.
func (s Share) String() string {
	return strconv.FormatFloat(math.Round(float64(s)*1e8)/1e6, 'f', -1, 64) + "%"
}

// An Amount is a number of calls or a share of an account's limit: 100 or
// 15%. The zero value is nothing.
type Amount struct {
	Calls int
	Share Share
}

// UnmarshalText reads an amount.
func (a *Amount) UnmarshalText(text []byte) error {
	if strings.HasSuffix(string(text), "%") {
		*a = Amount{}
		return a.Share.UnmarshalText(text)
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 || n > maxCount {
		return fmt.Errorf("%s is neither a number of calls nor a percentage (write 100 or 15%%)", quote(text))
	}
	*a = Amount{Calls: n}
	return nil
}

// String writes an amount; "" is nothing.
func (a Amount) String() string {
	switch {
	case a.Share > 0:
		return a.Share.String()
	case a.Calls > 0:
		return strconv.Itoa(a.Calls)
	}
	return ""
}

// A Size is a number of bytes, written 64KiB, 256MiB or 65536.
type Size int64

var sizes = []struct {
	unit  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1},
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	for _, size := range sizes {
		number, ok := strings.CutSuffix(string(text), size.unit)
		if !ok {
			continue
		}
		v, err := number64(strings.TrimSpace(number))
		if err != nil || v*size.bytes < 1 || v*size.bytes > 1<<40 {
			break
		}
		*s = Size(v * size.bytes)
		return nil
	}
	return fmt.Errorf("%s is not a size of 1 byte to 1 TiB (write 64KiB, 256MiB or a number of bytes)", quote(text))
}

// String writes a size in the largest unit that needs no fraction.
func (s Size) String() string {
	for _, size := range []int{2, 1, 0} {
		if unit := int64(sizes[size].bytes); s > 0 && int64(s)%unit == 0 {
			return strconv.FormatInt(int64(s)/unit, 10) + sizes[size].unit
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// A Number is a factor.
type Number float64

// UnmarshalText reads a number.
func (n *Number) UnmarshalText(text []byte) error {
	v, err := number64(string(text))
	if err != nil {
		return fmt.Errorf("%s is not a number (write 1 or 0.5)", quote(text))
	}
	*n = Number(v)
	return nil
}

// String writes a number without zeros at its end.
func (n Number) String() string { return strconv.FormatFloat(float64(n), 'f', -1, 64) }

// maxCount bounds every number of things, so that no sum overflows.
const maxCount = 1_000_000_000

// A Count is a number of things.
type Count int

// UnmarshalText reads a count.
func (c *Count) UnmarshalText(text []byte) error {
	v, err := strconv.Atoi(string(text))
	if err != nil || v < 0 || v > maxCount {
		return fmt.Errorf("%s is not a whole number of 0 to %d", quote(text), maxCount)
	}
	*c = Count(v)
	return nil
}

// String writes a count.
func (c Count) String() string { return strconv.Itoa(int(c)) }

// number64 reads a decimal number: neither infinite, nor hexadecimal, nor
// anything else that strconv knows.
func number64(s string) (float64, error) {
	if !isNumber(s) {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789.") == ""
}

// quote shows a wrong value, cut to what a line can bear.
func quote(text []byte) string {
	if len(text) > 60 {
		return strconv.Quote(string(text[:57]) + "...")
	}
	return strconv.Quote(string(text))
}
