package zendesk

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// readOn reads an answer on a call such as "GET /api/v2/tickets".
func readOn(t testing.TB, call string, status int, h http.Header) (limit.Route, limit.Answer) {
	t.Helper()
	method, target := call, ""
	for i := range call {
		if call[i] == ' ' {
			method, target = call[:i], call[i+1:]
			break
		}
	}
	p := New(UnknownPlan)
	r := p.Route(request(t, method, target, "Bearer x"))
	return r, p.Read(&r, status, h)
}

// said writes readings as text that is easy to compare.
func said(a *limit.Answer) []string {
	var out []string
	for _, r := range a.Readings() {
		reset := "-"
		if r.HasReset {
			reset = fmt.Sprint(int(r.Reset / time.Second))
		}
		out = append(out, fmt.Sprintf("%s/%s %d of %d, %s", r.Rule.Service, r.Rule.ID, r.Remaining, r.Limit, reset))
	}
	return out
}

func TestReadKnowsThreeSpellings(t *testing.T) {
	for name, h := range map[string]http.Header{
		"2023":             {"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"696"}, "Rate-Limit": {"700"}, "Rate-Limit-Remaining": {"696"}, "Rate-Limit-Reset": {"43"}},
		"2024":             {"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"696"}, "Ratelimit-Limit": {"700"}, "Ratelimit-Remaining": {"696"}, "Ratelimit-Reset": {"43"}},
		"2024 alone":       {"Ratelimit-Limit": {"700"}, "Ratelimit-Remaining": {"696"}, "Ratelimit-Reset": {"43"}},
		"2017, with reset": {"x-rate-limit": {"700"}, "X-RATE-LIMIT-REMAINING": {"696"}, "x-Rate-Limit-Reset": {"43"}},
		"mixed":            {"X-Rate-Limit": {"700"}, "rate-limit-remaining": {" 696\t"}, "RateLimit-Reset": {"43"}},
	} {
		_, a := readOn(t, "GET /api/v2/users", 200, h)
		if got := said(&a); !slices.Equal(got, []string{"support/account 696 of 700, 43"}) {
			t.Errorf("%s: %v", name, got)
		}
		if !a.Counted || a.Refused || !a.Readings()[0].Rule.Primary {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestWhereSpellingsDisagreeTheSmallestRemainingIsTaken(t *testing.T) {
	for _, c := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"600"}, "Ratelimit-Remaining": {"5"}, "Ratelimit-Reset": {"9"}}, "support/account 5 of 700, 9"},
		{http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"5"}, "Ratelimit-Limit": {"400"}, "Ratelimit-Remaining": {"9"}, "Ratelimit-Reset": {"9"}}, "support/account 5 of 700, 9"},
		{http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"6", "5", "junk"}}, "support/account 5 of 700, -"},
		{http.Header{"X-Rate-Limit": {"700"}, "x-rate-limit-remaining": {"4"}, "X-Rate-Limit-Remaining": {"6"}}, "support/account 4 of 700, -"},
		{http.Header{"X-Rate-Limit": {"10"}, "X-Rate-Limit-Remaining": {"700"}}, "support/account 10 of 10, -"},
	} {
		_, a := readOn(t, "GET /api/v2/users", 200, c.header)
		if got := said(&a); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%v: %v, want %s", c.header, got, c.want)
		}
	}
}

func TestGarbageInLimitHeadersIsNotStated(t *testing.T) {
	epoch := fmt.Sprint(1700000000)
	for name, garbage := range map[string]string{
		"empty": "", "word": "many", "negative": "-1", "plus": "+5", "decimal": "12.5", "hex": "0x10", "overflow": "99999999999999999999",
		"exponent": "1e3", "two": "1 2", "nul": "1\x00", "NaN": "NaN", "arabic": "٣", "epoch": epoch,
	} {
		h := http.Header{"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"699"}, "Ratelimit-Remaining": {garbage}, "Ratelimit-Reset": {garbage}, "Ratelimit-Limit": {garbage}}
		_, a := readOn(t, "GET /api/v2/users", 200, h)
		if got := said(&a); !slices.Equal(got, []string{"support/account 699 of 700, -"}) {
			t.Errorf("%s beside good headers: %v", name, got)
		}
		_, a = readOn(t, "GET /api/v2/users", 200, http.Header{"X-Rate-Limit-Remaining": {garbage}, "Zendesk-Ratelimit-Tickets-Index": {"total=" + garbage + "; remaining=" + garbage + "; resets=" + garbage}})
		if got := said(&a); len(got) != 0 {
			t.Errorf("%s alone: %v", name, got)
		}
	}
	for _, half := range []string{"remaining=0; resets=9", "total=9; resets=9", "total=0; remaining=0; resets=9", "total=9", ";;;", "=;=", "total remaining resets"} {
		_, a := readOn(t, "GET /api/v2/tickets", 200, http.Header{"Zendesk-Ratelimit-Tickets-Index": {half}})
		if got := said(&a); len(got) != 0 {
			t.Errorf("%q: %v", half, got)
		}
	}
	for reset, want := range map[string]string{"0": "0", "468": "468", "86400": "86400", "86401": "-", "200000000": "-", epoch: "-"} {
		_, a := readOn(t, "GET /api/v2/tickets", 200, http.Header{"Zendesk-Ratelimit-Tickets-Index": {"total=100; remaining=9; resets=" + reset}})
		if got := said(&a); !slices.Equal(got, []string{"support/tickets-index 9 of 100, " + want}) {
			t.Errorf("an endpoint that resets in %s: %v", reset, got)
		}
	}
	for reset, want := range map[string]string{"0": "0", "60": "60", "3600": "3600", "3601": "-", "86401": "-", epoch: "-"} {
		_, a := readOn(t, "GET /api/v2/users", 200, http.Header{"X-Rate-Limit-Remaining": {"1"}, "Ratelimit-Reset": {reset}})
		if got := said(&a); !slices.Equal(got, []string{"support/account 1 of 0, " + want}) {
			t.Errorf("reset %s: %v", reset, got)
		}
	}
}

func TestEndpointHeadersAreReadByKeyInAnyOrderAndCase(t *testing.T) {
	for _, h := range []http.Header{
		{"Zendesk-Ratelimit-Tickets-Index": {"total=100; remaining=99; resets=43"}},
		{"Zendesk-Rate-Limit-Tickets-Index": {"resets=43;remaining=99;total=100"}},
		{"zendesk-ratelimit-tickets-index": {"Remaining = 99 , TOTAL=100; policy=\"a=b\"; resets=43;"}},
		{"ZENDESK-RATE-LIMIT-TICKETS-INDEX": {"remaining=99", "total=100; resets=43"}},
		{"Zendesk-RateLimit-tickets-index": {"total=100; remaining=99; resets=43"}, "Zendesk-Rate-Limit-Tickets-Index": {"total=100; remaining=100; resets=43"}},
	} {
		_, a := readOn(t, "GET /api/v2/tickets", 200, h)
		if got := said(&a); !slices.Equal(got, []string{"support/tickets-index 99 of 100, 43"}) {
			t.Errorf("%v: %v", h, got)
		}
	}
}

func TestSeveralEndpointHeadersAreReadAtOnce(t *testing.T) {
	h := http.Header{
		"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"650"},
		"Zendesk-Ratelimit-Tickets-Index":                 {"total=100; remaining=99; resets=43"},
		"Zendesk-Ratelimit-Tickets-Index-Pagination":      {"total=100; remaining=98; resets=43"},
		"Zendesk-Ratelimit-Tickets-Index-Deep-Pagination": {"total=50; remaining=49; resets=43"},
		"Zendesk-Ratelimit-Brand-New":                     {"total=7; remaining=6; resets=5"},
	}
	want := []string{
		"support/account 650 of 700, -", "support/brand-new 6 of 7, 5", "support/tickets-index 99 of 100, 43",
		"support/tickets-index-deep-pagination 49 of 50, 43", "support/tickets-index-pagination 98 of 100, 43",
	}
	for range 20 { // a map is read in another order each time
		_, a := readOn(t, "GET /api/v2/tickets", 200, h)
		if got := said(&a); !slices.Equal(got, want) {
			t.Fatalf("read %v, want %v", got, want)
		}
	}
}

func TestMoreHeadersThanBucketsKeepThePrimaryAndTheFirst(t *testing.T) {
	h := http.Header{"X-Rate-Limit-Remaining": {"650"}, "X-Rate-Limit": {"700"}}
	for i := range 40 {
		h[fmt.Sprintf("Zendesk-Ratelimit-Many-%02d", i)] = []string{"total=9; remaining=8; resets=7"}
	}
	for range 5 {
		_, a := readOn(t, "GET /api/v2/tickets", 200, h)
		got := said(&a)
		if len(got) != limit.MaxDraws || got[0] != "support/account 650 of 700, -" || got[1] != "support/many-00 8 of 9, 7" || got[7] != "support/many-06 8 of 9, 7" {
			t.Fatalf("read %v", got)
		}
	}
}

func TestOneNameForTwoLimitsIsDecidedByItsFigures(t *testing.T) {
	for _, c := range []struct {
		call, name, value, want string
		object                  uint64
	}{
		{"PUT /api/v2/users/5", "create-update-user", "total=5; remaining=4; resets=30", "per-user-updates", 5},
		{"PUT /api/v2/users/5", "create-update-user", "total=1; remaining=0; resets=1", "user-updates", 0},
		{"POST /api/v2/users/create_or_update", "create-update-user", "total=1; remaining=0; resets=1", "user-updates", 0},
		{"POST /api/v2/users/create_or_update", "create-update-user", "total=5; remaining=4; resets=30", "", 0},
		{"PUT /api/v2/tickets/8/tags", "per-ticket-updates", "total=30; remaining=29; resets=468", "per-ticket-updates", 8},
		{"PUT /api/v2/tickets/update_many", "per-ticket-updates", "total=30; remaining=29; resets=468", "", 0},
		{"PUT /api/v2/tickets/8", "tickets-update", "total=100; remaining=99; resets=59", "tickets-update", 0},
		{"PUT /api/v2/tickets/8", "tickets-update", "total=30; remaining=29; resets=468", "per-ticket-updates", 8},
		{"GET /api/v2/tickets/8", "never-heard-of", "total=3; remaining=2; resets=9", "never-heard-of", 8},
		{"POST /api/v2/tickets/create_many", "inflight-jobs", "total=30; remaining=29; resets=60", "inflight-jobs", 0},
	} {
		r, a := readOn(t, c.call, 200, http.Header{http.CanonicalHeaderKey("zendesk-ratelimit-" + c.name): {c.value}})
		got, key := "", limit.Key{}
		if seen := a.Readings(); len(seen) > 0 {
			got, key = seen[0].Rule.ID, seen[0].Rule.KeyFor(r.Object, r.Credential)
		}
		if got != c.want || key.Object != c.object {
			t.Errorf("%s, %s %s: %q of %d, want %q of %d", c.call, c.name, c.value, got, key.Object, c.want, c.object)
		}
	}
}

func TestUnknownLimitsAreOneRuleAName(t *testing.T) {
	fresh := interned{max: 3}
	a, b := fresh.rule(Support, []byte("new-one")), fresh.rule(Support, []byte("new-one"))
	if a == nil || a != b || a.Scope != limit.Unknown || a.Window != 0 || a.Limit != 0 || a.Mark != limit.Hint {
		t.Fatalf("%+v and %+v", a, b)
	}
	if c := fresh.rule(Webhooks, []byte("new-one")); c == nil || c.Service != Webhooks {
		t.Errorf("the same name on another service: %+v", c)
	}
	if c := fresh.rule(Support, []byte("account")); c == nil || c.ID == PrimaryID {
		t.Errorf("a header took the account's own ID: %+v", c)
	}
	if c := fresh.rule(Support, []byte("one-too-many")); c != nil {
		t.Errorf("the table is not bounded: %+v", c)
	}
	if c := fresh.rule(Support, []byte("new-one")); c != a {
		t.Error("a full table forgot what it knew")
	}
	if c := (&interned{max: 3}).rule(Support, []byte("with space\n")); c != nil {
		t.Errorf("%q is no name", c.ID)
	}
}

func TestUnknownLimitsAreBoundedInTheProcess(t *testing.T) {
	before := unknown.rules.Load()
	defer unknown.rules.Store(before)
	for i := range 3 * MaxUnknownLimits {
		readOn(t, "GET /api/v2/tickets", 200, http.Header{fmt.Sprintf("Zendesk-Ratelimit-Flood-%d", i): {"total=9; remaining=8; resets=7"}})
	}
	if n := len(*unknown.rules.Load()); n != MaxUnknownLimits {
		t.Errorf("%d names are kept, want %d", n, MaxUnknownLimits)
	}
}

func TestUnknownLimitsMayBeMetByManyAtOnce(t *testing.T) {
	fresh := interned{max: 4}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				fresh.rule(Support, fmt.Appendf(nil, "name-%d", i))
			}
		})
	}
	wg.Wait()
	if n := len(*fresh.rules.Load()); n != 4 {
		t.Errorf("%d names are kept, want 4", n)
	}
	// Two that both found the table one short of full: the later gives way.
	if r := fresh.add(internKey{Support, "late"}); r != nil {
		t.Errorf("the table is not bounded: %+v", r)
	}
}

func TestRefusedIsA429OrA503(t *testing.T) {
	for status, refused := range map[int]bool{200: false, 304: false, 404: false, 429: true, 500: false, 502: false, 503: true} {
		if _, a := readOn(t, "GET /api/v2/tickets", status, nil); a.Refused != refused {
			t.Errorf("%d: refused %v", status, a.Refused)
		}
	}
}

func recordedHeader() http.Header {
	return http.Header{
		"Date": {"Thu, 08 Feb 2024 17:44:18 GMT"}, "Content-Type": {"application/json; charset=utf-8"},
		"X-Rate-Limit": {"700"}, "X-Rate-Limit-Remaining": {"673"},
		"Ratelimit-Limit": {"700"}, "Ratelimit-Remaining": {"673"}, "Ratelimit-Reset": {"42"},
		"Zendesk-Ratelimit-Tickets-Index": {"total=100; remaining=99; resets=43"},
		"Cache-Control":                   {"max-age=0, private, must-revalidate"},
		"Etag":                            {`W/"5a1b8b0f0b4b1f0e5a1b8b0f0b4b1f0e"`}, "X-Request-Id": {"808d59e87fdb27f9-SEA"}, "Server": {"cloudflare"},
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	p, h := New(Team), recordedHeader()
	h["Zendesk-Ratelimit-Not-In-The-Catalogue"] = []string{"total=100; remaining=99; resets=43"}
	r := p.Route(request(t, "GET", "/api/v2/tickets", ""))
	if n := testing.AllocsPerRun(100, func() { _ = p.Read(&r, 200, h) }); n != 0 {
		t.Errorf("Read allocates %v times", n)
	}
}

func TestReadTakesAnyRoute(t *testing.T) {
	p := New(Team)
	if a := p.Read(nil, 200, recordedHeader()); a.Readings()[0].Rule.Service != Other {
		t.Errorf("no route: %v", said(&a))
	}
	if a := p.Read(&limit.Route{Service: "elsewhere"}, 200, recordedHeader()); a.Readings()[0].Rule.Service == Support {
		t.Errorf("an unknown service: %v", said(&a))
	}
}

func FuzzRead(f *testing.F) {
	f.Add("/api/v2/tickets", "Zendesk-Ratelimit-Tickets-Index", "total=100; remaining=99; resets=43", "700", "43", "17", "Thu, 08 Feb 2024 17:44:18 GMT", 200)
	f.Add("/api/v2/users/1", "zendesk-rate-limit-", "total=-1; remaining=99999999999999999999; resets=1e9;;;=", "-5", "1700000000", "-0.5", "x", 429)
	f.Add("/api/v2/webhooks/test", "X-Rate-Limit-Reset", "NaN", "9223372036854775808", "0", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", -1)
	f.Fuzz(func(t *testing.T, path, name, value, number, reset, retry, date string, status int) {
		h := http.Header{
			"X-Rate-Limit": {number}, "X-Rate-Limit-Remaining": {number}, "Ratelimit-Limit": {value}, "Ratelimit-Remaining": {reset},
			"Ratelimit-Reset": {reset}, "Retry-After": {retry, value}, "Date": {date}, name: {value, number},
		}
		if len(value)%2 == 0 {
			h["Zendesk-Ratelimit-Fuzz"] = []string{value}
		}
		before := maps.Clone(h)
		p := New(UnknownPlan)
		r := p.Route(request(t, "PUT", path, date))
		for _, route := range []*limit.Route{&r, nil, {}} {
			checkAnswer(t, p.Read(route, status, h), status)
		}
		if len(before) != len(h) {
			t.Fatal("Read changed the header")
		}
	})
}

// checkAnswer fails on any answer that could stall or mislead the rooms above.
func checkAnswer(t *testing.T, a limit.Answer, status int) {
	t.Helper()
	if a.Status != status || a.RetryAfter < 0 || a.RetryAfter > 24*time.Hour || !a.HasRetryAfter && a.RetryAfter != 0 {
		t.Fatalf("%+v", a)
	}
	for _, r := range a.Readings() {
		if r.Rule == nil || r.Limit < 0 || r.Remaining < 0 || r.Limit > math.MaxInt32 || r.Remaining > math.MaxInt32 ||
			r.Reset < 0 || r.Reset > 24*time.Hour || r.Rule.Window > 24*time.Hour {
			t.Fatalf("%+v of %+v", r, r.Rule)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	p, h := New(Enterprise), recordedHeader()
	r := p.Route(request(b, "GET", "/api/v2/tickets", ""))
	b.ReportAllocs()
	for b.Loop() {
		if a := p.Read(&r, 200, h); len(a.Readings()) != 2 {
			b.Fatal("two readings expected")
		}
	}
}
