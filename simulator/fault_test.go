package simulator

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// literals are the 429 bodies as documented or recorded, with their type.
var literals = map[Body][2]string{
	BodyTicket:       {"text/html; charset=utf-8", "Rate limit for ticket updates exceeded, please wait before updating this ticket again"},
	BodyAccount:      {"text/html; charset=utf-8", "Number of allowed API requests per minute exceeded"},
	BodyIncremental:  {"application/json; charset=utf-8", `{"error":"APIRateLimitExceeded","description":"Number of allowed incremental export API requests per minute exceeded"}`},
	BodyUpdate:       {"application/json; charset=utf-8", `{"errors":[{"code":"TooManyRequests","title":"Too many requests to update"}]}`},
	BodyAutocomplete: {"application/json; charset=utf-8", `{"errors":[{"code":"TooManyRequests","title":"Too many requests to autocomplete"}]}`},
	BodyJobs:         {"application/json; charset=utf-8", `{"error":"TooManyJobs","description":"Too many TicketBulkUpdateJobV3 jobs are currently queued or running. Try again later.","current_job_ids":[]}`},
	BodyTotals:       {"application/json; charset=utf-8", `{"errors":[{"code":"TooManyRequests","status":"429","title":"Too Many Requests","message":"You have reached the maximum number of resources for your plan"}]}`},
	BodyHourly:       {"text/plain; charset=UTF-8", "Number of allowed requests per hour exceeded"},
	BodyEndpoint:     {"application/json; charset=utf-8", `{"error":"APIRateLimitExceeded","description":"Number of allowed fault API requests exceeded"}`},
	BodyEdge:         {"application/json; charset=utf-8", `{"detail":"Rate limited by Zendesk edge protection","status":"429","title":"Automated response"}`},
	BodyUser:         {"text/plain; charset=UTF-8", "You have exceeded the rate limit for updating a single unique user. user email:  id:  external_id: "},
	BodyDepth:        {"text/plain; charset=UTF-8", "Pagination limit reached for offset model"},
}

func TestEveryBody(t *testing.T) {
	for _, b := range Bodies() {
		simulate(t, Options{Faults: []Fault{{Status: 429, Body: b}}}, func(t *testing.T, s *Simulator, c client) {
			r, body := c.get("/api/v2/groups")
			if want := literals[b]; r.StatusCode != 429 || body != want[1] || r.Header.Get("Content-Type") != want[0] {
				t.Errorf("body %s: %d %q %s", b, r.StatusCode, r.Header.Get("Content-Type"), body)
			}
			wantHeaders(t, r, "X-Rate-Limit-Remaining", "700") // a 429 with a full account, as recorded
			if s.Ledger().RefusedBy("fault") != 1 {
				t.Errorf("body %s: %+v", b, s.Ledger().Refusals)
			}
		})
	}
}

func TestEveryRetryAfter(t *testing.T) {
	for spec, want := range map[string][]string{
		"status=429":                                           {"40"},
		"status=429,retry-after=0":                             {"0"},
		"status=429,retry-after=1.5":                           {"1.5"},
		"status=429,retry-after=none":                          nil,
		"status=429,retry-after=date":                          {"Sat, 01 Jan 2000 00:02:00 GMT"},
		"status=429,retry-after=Wed, 21 Oct 2026 07:28:00 GMT": {"Wed, 21 Oct 2026 07:28:00 GMT"},
		"status=503":                                           nil,
		"status=503,retry-after=7":                             {"7"},
		"status=500":                                           nil,
	} {
		f, err := ParseFault(spec)
		if err != nil {
			t.Error(err)
			continue
		}
		simulate(t, Options{Latency: Fixed(0), Faults: []Fault{f}}, func(t *testing.T, s *Simulator, c client) {
			until(20 * time.Second)
			r, _ := c.get("/api/v2/groups")
			if got := r.Header.Values("Retry-After"); r.StatusCode != f.Status || strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("%s: %d, Retry-After %q, want %q", spec, r.StatusCode, got, want)
			}
		})
	}
}

// struck lists which of n calls a fault strikes.
func struck(t *testing.T, f Fault, n int, path func(int) string) (hit []int) {
	simulate(t, Options{Latency: Fixed(0), Seed: 5, Faults: []Fault{f}}, func(t *testing.T, s *Simulator, c client) {
		for i := 1; i <= n; i++ {
			if r, _ := c.get(path(i)); r.StatusCode == f.Status {
				hit = append(hit, i)
			}
		}
	})
	return hit
}

func TestFaultsStrikeWhereTheyAreTold(t *testing.T) {
	groups := func(int) string { return "/api/v2/groups" }
	pages := func(i int) string { return fmt.Sprintf("/api/v2/tickets?page=%d", i) }
	for _, test := range []struct {
		spec string
		path func(int) string
		want string
	}{
		{"status=503,every=4", groups, "[4 8]"},
		{"status=503,nth=1+3+9", groups, "[1 3 9]"},
		{"status=503,every=2,count=2", groups, "[2 4]"},
		{"status=503,count=1", groups, "[1]"},
		{"status=503", groups, "[1 2 3 4 5 6 7 8 9 10]"},
		{"status=503,path=/api/v2/tickets?page=2", pages, "[2]"},
		{"status=503,path=/api/v2/tickets*,every=5", pages, "[5 10]"},
		{"status=503,path=/api/*/tickets", pages, "[1 2 3 4 5 6 7 8 9 10]"},
		{"status=503,path=/api/v2/users*", pages, "[]"},
		{"status=503,method=post", pages, "[]"},
		{"status=503,method=get,nth=2", pages, "[2]"},
	} {
		f, err := ParseFault(test.spec)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := fmt.Sprint(struck(t, f, 10, test.path)); got != test.want {
			t.Errorf("%s strikes %s, want %s", test.spec, got, test.want)
		}
	}
	share := len(struck(t, Fault{Status: 503, Probability: 0.2}, 500, groups))
	if share < 70 || share > 130 {
		t.Errorf("a fifth of 500 is %d", share)
	}
}

const oneTicket = `{"ticket":{"subject":"once","comment":{"body":"only"}}}`

func TestCutBeforeAndAfterTheWork(t *testing.T) {
	for cut, made := range map[Cut]int{CutBefore: 0, CutAfter: 1} {
		simulate(t, Options{Faults: []Fault{{Cut: cut, Count: 1}}}, func(t *testing.T, s *Simulator, c client) {
			_, err := c.try(t.Context(), "POST", "/api/v2/tickets", oneTicket)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("cut %s: %v", cut, err)
			}
			l := s.Ledger()
			if l.Cuts != 1 || l.Sends != 1 || l.Changed["ticket create"] != made {
				t.Errorf("cut %s: %d cuts, %d sends, changed %v", cut, l.Cuts, l.Sends, l.Changed)
			}
			// A client that sends it again makes a duplicate only of work that was done.
			c.read(c.send("POST", "/api/v2/tickets", oneTicket))
			if l = s.Ledger(); l.DuplicateWrites != made {
				t.Errorf("cut %s, sent again: %d duplicates, want %d", cut, l.DuplicateWrites, made)
			}
			if w := l.WindowsOf("account"); len(w) != 1 || w[0].Sends != 2 {
				t.Errorf("cut %s: account %+v", cut, w)
			}
		})
	}
}

func TestCutInTheBody(t *testing.T) {
	for _, path := range []string{"/api/v2/tickets", "/attachments/token/any?size=100000"} {
		simulate(t, Options{Faults: []Fault{{Cut: CutBody}}}, func(t *testing.T, s *Simulator, c client) {
			r := c.send("GET", path, "")
			body, err := io.ReadAll(r.Body)
			if !errors.Is(err, io.ErrUnexpectedEOF) || r.StatusCode != 200 || int64(len(body)) != r.ContentLength/2 {
				t.Errorf("%s: %d of %d bytes, %v", path, len(body), r.ContentLength, err)
			}
		})
	}
}

func TestSlowAnswersAndBodies(t *testing.T) {
	o := Options{Latency: Fixed(100 * time.Millisecond), Faults: []Fault{{Path: "/api/v2/groups", Delay: 20 * time.Second}, {Path: "/a*", SlowBody: 10 * time.Second}}}
	simulate(t, o, func(t *testing.T, s *Simulator, c client) {
		began := time.Now()
		r := c.send("GET", "/api/v2/groups", "")
		if got := time.Since(began); got != 20*time.Second+100*time.Millisecond {
			t.Errorf("a slow answer took %s", got)
		}
		_ = r.Body.Close()
		for _, path := range []string{"/api/v2/users", "/attachments/token/any?size=200000"} {
			r := c.send("GET", path, "")
			began = time.Now()
			if n, err := io.Copy(io.Discard, r.Body); err != nil || n != r.ContentLength {
				t.Fatalf("%d of %d bytes: %v", n, r.ContentLength, err)
			}
			if got := time.Since(began).Round(time.Second); got != 10*time.Second {
				t.Errorf("a slow body took %s", got)
			}
		}
	})
}

func TestSpoiledLimitHeaders(t *testing.T) {
	answer := func(f Fault) (r *http.Response) {
		simulate(t, Options{Latency: Fixed(0), Plan: "sandbox", Faults: []Fault{f}}, func(t *testing.T, s *Simulator, c client) {
			until(500 * time.Millisecond)
			r, _ = c.get("/api/v2/tickets")
		})
		return r
	}
	wantHeaders(t, answer(Fault{StrayZero: true}), "X-Rate-Limit", "700", "X-Rate-Limit-Remaining", "0", "Ratelimit-Remaining", "0", "Ratelimit-Reset", "60",
		"Zendesk-Ratelimit-Tickets-Index", "total=100; remaining=99; resets=60")
	if got := limitHeaders(answer(Fault{Headers: HeadersAbsent})); len(got) != 0 {
		t.Errorf("absent headers: %v", got)
	}
	wantHeaders(t, answer(Fault{Headers: HeadersReordered}), "Zendesk-Ratelimit-Tickets-Index", "resets=60;remaining=99;total=100 ;policy=fixed")
	r := answer(Fault{Headers: HeadersGarbage})
	for _, k := range limitHeaders(r) {
		if v := r.Header.Get(k); v == "700" || v == "699" || v == "60" || strings.HasPrefix(v, "total=100") {
			t.Errorf("%s survived as %q", k, v)
		}
	}
	if r.StatusCode != 200 || len(limitHeaders(r)) != 6 {
		t.Errorf("garbage: %d %v", r.StatusCode, limitHeaders(r))
	}
}

func TestParseFault(t *testing.T) {
	for _, spec := range []string{
		"status=429,retry-after=0,path=/api/v2/tickets*,every=20",
		"status=429,body=J,retry-after=none,method=GET,probability=0.05",
		"cut=after,nth=1+4+9,count=2",
		"delay=20s,slow-body=1m0s,remaining=0,overstate=10,headers=garbage",
		"status=429,retry-after=Wed, 21 Oct 2026 07:28:00 GMT,count=1",
	} {
		f, err := ParseFault(spec)
		if err != nil || f.String() != spec {
			t.Errorf("%q reads as %q, %v", spec, f, err)
		}
	}
	if f, err := ParseFault("status=500,probability=5%"); err != nil || f.Probability != 0.05 {
		t.Errorf("5%%: %v %v", f.Probability, err)
	}
	for spec, want := range map[string]string{
		"":                           "is not key=value; the keys are status, body",
		"status":                     "is not key=value",
		"colour=red":                 `unknown key "colour"; the keys are status, body, retry-after, cut`,
		"status=teapot":              "status: \"teapot\" is not a whole number",
		"status=404":                 "must be 429 or 500 to 599",
		"every=20":                   "does nothing",
		"status=429,body=Z":          "fault body \"Z\": must be one of",
		"cut=sideways":               "must be before, after or body",
		"delay=soon":                 "delay: \"soon\" is not a duration",
		"status=500,probability=2":   "must be from 0 to 1",
		"status=500,probability=NaN": "must be from 0 to 1",
		"status=500,nth=0":           "the first is 1",
		"cut=after,body=J":           "only a 429 has it",
		"cut=after,retry-after=5":    "set a status with it",
		"remaining=5":                "only remaining=0",
		"headers=odd":                "absent, garbage or reordered",
	} {
		if _, err := ParseFault(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", spec, err, want)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add("status=429,every=20,path=/api/v2/tickets*,retry-after=Wed, 21 Oct 2026 07:28:00 GMT")
	f.Add("cut=body,nth=1+2,probability=5%,delay=1s,headers=absent,remaining=0,overstate=10")
	f.Fuzz(func(t *testing.T, spec string) {
		fault, err := ParseFault(spec)
		if err != nil {
			return
		}
		if again, err := ParseFault(fault.String()); err != nil || again.String() != fault.String() {
			t.Errorf("%q is written %q and read as %q, %v", spec, fault, again, err)
		}
	})
}
