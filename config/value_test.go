package config

import (
	"encoding"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestValuesAreReadInEachSpelling(t *testing.T) {
	for _, tt := range []struct {
		into       encoding.TextUnmarshaler
		text, want string
	}{
		{new(Duration), "90s", "1m30s"},
		{new(Duration), "60m", "1h"},
		{new(Duration), "0s", "0s"},
		{new(Duration), "1.5m", "1m30s"},
		{new(Rate), "300/min", "300/min"},
		{new(Rate), "300 / minute", "300/min"},
		{new(Rate), "5/sec", "5/s"},
		{new(Rate), "10000/hour", "10000/h"},
		{new(Share), "50%", "50%"},
		{new(Share), "0.07", "7%"},
		{new(Share), "12.5%", "12.5%"},
		{new(Amount), "100", "100"},
		{new(Amount), "15%", "15%"},
		{new(Amount), "0", ""},
		{new(Size), "65536", "64KiB"},
		{new(Size), "1.5MiB", "1536KiB"},
		{new(Size), "2 GB", "1953125KiB"},
		{new(Size), "1000", "1000"},
		{new(Number), "0.50", "0.5"},
		{new(Plan), "Suite Enterprise Plus", "enterprise-plus"},
		{new(Plan), "unknown", ""},
		{new(Address), "[::1]:0", "[::1]:0"},
		{new(Peer), "10.0.0.7", "10.0.0.7/32"},
		{new(Hash), "AB12CD34E", "ab12cd34e"},
		{new(RoutePattern), "/api/v2/tickets.json/", "/api/v2/tickets"},
		{new(RoutePattern), "GET /*", "GET /*"},
		{new(Secret), "hush\n", "(set, not shown)"},
	} {
		if err := tt.into.UnmarshalText([]byte(tt.text)); err != nil {
			t.Errorf("%T of %q: %v", tt.into, tt.text, err)
			continue
		}
		if got := fmt.Sprint(reflect.ValueOf(tt.into).Elem().Interface()); got != tt.want {
			t.Errorf("%T of %q = %q, want %q", tt.into, tt.text, got, tt.want)
		}
	}
}

func TestPerMinuteComparesRates(t *testing.T) {
	for text, want := range map[string]float64{"5/s": 300, "300/min": 300, "18000/h": 300} {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r.PerMinute() != want {
			t.Errorf("%s is %v a minute, %v; want %v", text, r.PerMinute(), err, want)
		}
	}
}

// glob is compared with regexp on small words, where every case comes up.
func TestGlobMatchesAsARegexpDoes(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	word := func(letters string, most int) string {
		b := make([]byte, random.IntN(most+1))
		for i := range b {
			b[i] = letters[random.IntN(len(letters))]
		}
		return string(b)
	}
	for range 20_000 {
		p, s := word("ab*", 6), word("ab", 8)
		re := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*") + "$")
		if got, want := glob(p, s), re.MatchString(s); got != want {
			t.Fatalf("glob(%q, %q) = %v, want %v (seed %d)", p, s, got, want, seed)
		}
	}
}

// What a covered route matches, the one that covers it matches too.
func TestARouteThatCoversAnotherMatchesAllOfIt(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	path := func(words ...string) string {
		var b strings.Builder
		for range 1 + random.IntN(3) {
			b.WriteString("/" + words[random.IntN(len(words))])
		}
		return b.String()
	}
	routes := make([]RoutePattern, 0, 200)
	for len(routes) < cap(routes) {
		text := []string{"", "GET ", "POST "}[random.IntN(3)] + path("a", "b", "*")
		var r RoutePattern
		if r.UnmarshalText([]byte(text)) == nil {
			routes = append(routes, r)
		}
	}
	covered := 0
	for range 100_000 {
		wide, narrow := routes[random.IntN(len(routes))], routes[random.IntN(len(routes))]
		call := trimmed(path("a", "b", "c"))
		if !wide.covers(narrow) || !narrow.matches(http.MethodGet, call) {
			continue
		}
		if covered++; !wide.matches(http.MethodGet, call) {
			t.Fatalf("%s covers %s, and does not match %s (seed %d)", wide, narrow, call, seed)
		}
	}
	if covered == 0 {
		t.Error("no route covered another: the check cannot fail")
	}
}

func TestTheNearestKeyIsFound(t *testing.T) {
	known := []string{"listen", "max_wait", "max_share", "allowed_hosts", "drain_timeout"}
	for word, want := range map[string]string{
		"lisen": "listen", "maxWait": "max_wait", "max-wait": "max_wait", "maxshare": "max_share", "drain": "drain_timeout",
		"alowed_host": "allowed_hosts", "flavour": "", "": "", "x": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
