package zendesk

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

const aDate = "Sun, 10 Sep 2023 02:18:50 GMT"

// A retryForm is one way to write Retry-After and what it asks for.
type retryForm struct {
	value string // "absent" for no header
	date  string
	wait  time.Duration
	said  bool
}

var retryForms = []retryForm{
	{"absent", aDate, 0, false},
	{"93", aDate, 93 * time.Second, true},
	{" 10 ", aDate, 10 * time.Second, true},
	{"0", aDate, 0, true},
	{"00", aDate, 0, true},
	{"0.5", aDate, 500 * time.Millisecond, true},
	{".5", aDate, 500 * time.Millisecond, true},
	{"17.0", aDate, 17 * time.Second, true},
	{"1.0001", aDate, 1001 * time.Millisecond, true},
	{"1.9999999999999999999999", aDate, 2 * time.Second, true},
	{"Sun, 10 Sep 2023 02:19:00 GMT", aDate, 10 * time.Second, true},
	{"Sunday, 10-Sep-23 02:19:00 GMT", aDate, 10 * time.Second, true},
	{"Sun Sep 10 02:19:00 2023", aDate, 10 * time.Second, true},
	{"Sun, 10 Sep 2023 02:18:00 GMT", aDate, 0, true},
	{"Sun, 10 Sep 2023 02:19:00 GMT", "", 0, false},
	{"Fri, 31 Dec 9999 23:59:59 GMT", aDate, 24 * time.Hour, true},
	{"Sun, 31 Feb 2023 02:19:00 GMT", aDate, 0, false},
	{"86400", aDate, 24 * time.Hour, true},
	{"86401", aDate, 24 * time.Hour, true},
	{"99999999999999999999999999", aDate, 24 * time.Hour, true},
	{"86399.9999", aDate, 24 * time.Hour, true},
	{"-5", aDate, 0, false},
	{"-0.5", aDate, 0, false},
	{"", aDate, 0, false},
	{"soon", aDate, 0, false},
	{"NaN", aDate, 0, false},
	{"Inf", aDate, 0, false},
	{"1e3", aDate, 0, false},
	{"5s", aDate, 0, false},
	{"1.2.3", aDate, 0, false},
	{".", aDate, 0, false},
	{"5.", aDate, 0, false},
	{"0x10", aDate, 0, false},
}

func (f *retryForm) header() http.Header {
	h := http.Header{}
	if f.value != "absent" {
		h["Retry-After"] = []string{f.value}
	}
	if f.date != "" {
		h["Date"] = []string{f.date}
	}
	return h
}

// everyFormIsRead returns the first form that read gets wrong, "" when none.
func everyFormIsRead(read func(http.Header) (time.Duration, bool)) string {
	for _, f := range retryForms {
		if wait, said := read(f.header()); wait != f.wait || said != f.said {
			return strconv.Quote(f.value) + " is read as " + wait.String() + ", " + strconv.FormatBool(said)
		}
	}
	return ""
}

// Behaviour A6: every form of Retry-After is read, and none as a negative or endless wait.
func TestEveryFormOfRetryAfterIsRead(t *testing.T) {
	ours := func(h http.Header) (time.Duration, bool) {
		_, a := readOn(t, "GET /api/v2/tickets", 429, h)
		return a.RetryAfter, a.HasRetryAfter
	}
	if wrong := everyFormIsRead(ours); wrong != "" {
		t.Error(wrong)
	}
	// The twin does what Zendesk's sample programs do: a number or nothing.
	naive := func(h http.Header) (time.Duration, bool) {
		n, err := strconv.Atoi(h.Get("Retry-After"))
		return time.Duration(n) * time.Second, err == nil
	}
	if everyFormIsRead(naive) == "" {
		t.Error("the check does not notice a reader of whole seconds only")
	}
}

func TestOfSeveralRetryAftersTheLongestIsTaken(t *testing.T) {
	_, a := readOn(t, "GET /api/v2/tickets", 429, http.Header{"Retry-After": {"3", "junk", "41", "7"}})
	if a.RetryAfter != 41*time.Second {
		t.Errorf("waits %v", a.RetryAfter)
	}
}

func TestDatesAreReadAsNetHTTPReadsThem(t *testing.T) {
	for _, s := range []string{
		aDate, "Thu, 29 Feb 2024 23:59:59 GMT", "Wed, 29 Feb 2023 23:59:59 GMT", "Fri, 31 Apr 2023 00:00:00 GMT",
		"Sun, 10 Sep 2023 24:00:00 GMT", "Sun, 10 Sep 2023 02:60:50 GMT", "Sun, 10 Sep 2023 02:18:60 GMT", "Sun, 00 Sep 2023 02:18:50 GMT",
		"Sun, 10 sep 2023 02:18:50 GMT", "Sun, 10 Sep 2023 02:18:50 UTC", "Sun, 1a Sep 2023 02:18:50 GMT", "", "x",
	} {
		want, err := http.ParseTime(s)
		if got := parseDate(s); err == nil && !got.Equal(want) || err != nil && !got.IsZero() {
			t.Errorf("%q is %v, net/http says %v, %v", s, got, want, err)
		}
	}
	if at, ok := fixedDate(aDate); !ok || at.Unix() != 1694312330 {
		t.Errorf("the usual form is not read by hand: %v, %v", at, ok)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, form := range retryForms {
		f.Add(form.value, form.date)
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		at := parseDate(date)
		if want, err := http.ParseTime(date); err == nil && !at.Equal(want) {
			t.Fatalf("date %q is %v, net/http says %v", date, at, want)
		}
		wait, ok := retryAfter([]string{value}, at)
		if wait < 0 || wait > 24*time.Hour || !ok && wait != 0 {
			t.Fatalf("%q asks for %v, %v", value, wait, ok)
		}
		if n, err := strconv.Atoi(trim(value)); err == nil && n >= 0 && isDigit(trim(value)[0]) && (!ok || wait != min(time.Duration(min(n, 100000))*time.Second, 24*time.Hour)) {
			t.Fatalf("%q asks for %v, %v", value, wait, ok)
		}
	})
}
