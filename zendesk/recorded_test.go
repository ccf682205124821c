package zendesk

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A recorded is one row of testdata/observed-limit-headers.csv: the limit
// headers of one real answer, with ids and query values taken out.
type recorded map[string]string

func recordedRows(t testing.TB) []recorded {
	t.Helper()
	f, err := os.Open("testdata/observed-limit-headers.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) < 1000 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	rows := make([]recorded, 0, len(lines)-1)
	for _, line := range lines[1:] {
		row := recorded{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func (r recorded) request(t testing.TB) *http.Request {
	path := strings.NewReplacer("{id}", "4016", "{job}", "V3-0123456789abcdef0123456789abcdef", "{ulid}", "01H9Z3VQ8J0000000000000000").Replace(r["path"])
	var query []string
	for key := range strings.FieldsSeq(r["query_keys"]) {
		query = append(query, key+"=1")
	}
	return request(t, r["method"], path+"?"+strings.Join(query, "&"), "Bearer x")
}

// The two spellings that a row is played in.
const (
	asRecorded = "as recorded"
	as2024     = "as in 2024"
)

func (r recorded) header(spelling string) http.Header {
	h := http.Header{}
	put := func(name, column string) {
		if r[column] != "" {
			h.Set(name, r[column])
		}
	}
	at, _ := time.Parse(time.RFC3339, r["date_utc"])
	h.Set("Date", at.UTC().Format(http.TimeFormat))
	put("X-Rate-Limit", "x_rate_limit")
	put("X-Rate-Limit-Remaining", "x_rate_limit_remaining")
	put("Retry-After", "retry_after")
	put("Cache-Control", "cache_control")
	put("Content-Type", "content_type")
	family, endpoint := r["alias_family"], r["endpoint_header"]
	if spelling == as2024 {
		endpoint = strings.Replace(endpoint, "zendesk-rate-limit-", "zendesk-ratelimit-", 1)
		family = strings.Replace(family, "rate-limit", "ratelimit", 1)
	}
	if endpoint != "" {
		put(endpoint, "endpoint_value")
	}
	switch family {
	case "rate-limit":
		put("Rate-Limit", "x_rate_limit")
		put("Rate-Limit-Remaining", "alias_remaining")
		put("Rate-Limit-Reset", "alias_reset")
	case "ratelimit":
		put("Ratelimit-Limit", "x_rate_limit")
		put("Ratelimit-Remaining", "alias_remaining")
		put("Ratelimit-Reset", "alias_reset")
	}
	return h
}

// service says who counted the row, from its path alone.
func (r recorded) service() limit.Service {
	switch family := strings.Split(r["path"], "/")[3]; {
	case r["path"] == "/api/v2/webhooks/test":
		return WebhooksTest
	case family == "webhooks":
		return Webhooks
	case family == "help_center" || family == "community":
		return HelpCenter
	}
	return Support
}

func TestEveryRecordedAnswerIsReadAsItStands(t *testing.T) {
	endpoints, refusals := map[string]int{}, 0
	for _, spelling := range []string{asRecorded, as2024} {
		for n, row := range recordedRows(t) {
			where := fmt.Sprintf("row %d %s (%s %s)", n+2, spelling, row["method"], row["path"])
			p := New(UnknownPlan)
			route := p.Route(row.request(t))
			status, _ := strconv.Atoi(row["status"])
			a := p.Read(&route, status, row.header(spelling))

			checkAnswer(t, a, status)
			checkPrimary(t, where, row, &a)
			if checkEndpoint(t, where, row, &a) {
				endpoints[a.Readings()[1].Rule.ID]++
			}
			if want := row["date_utc"]; a.Date.Format(time.RFC3339) != want || !a.Counted {
				t.Fatalf("%s: dated %v, counted %v", where, a.Date, a.Counted)
			}
			if a.Refused != (status == 429) || a.HasRetryAfter != (row["retry_after"] != "") ||
				strconv.Itoa(int(a.RetryAfter/time.Second)) != max(row["retry_after"], "0") {
				t.Fatalf("%s: refused %v, retry after %v", where, a.Refused, a.RetryAfter)
			}
			if a.Refused {
				refusals++
			}
		}
	}
	// Without these the loops above could pass on an empty file.
	if endpoints["tickets-index"] < 40 || endpoints["tags-index"] < 10 || endpoints["tickets-update"] != 2 || endpoints["deleted-tickets-destroy"] != 2 || refusals != 4 {
		t.Errorf("endpoints %v, %d refusals", endpoints, refusals)
	}
}

// checkPrimary compares the service's own counter with the row.
func checkPrimary(t *testing.T, where string, row recorded, a *limit.Answer) {
	t.Helper()
	if len(a.Readings()) == 0 {
		t.Fatalf("%s: nothing is read", where)
	}
	got := a.Readings()[0]
	reset := ""
	if got.HasReset {
		reset = strconv.Itoa(int(got.Reset / time.Second))
	}
	if !got.Rule.Primary || got.Rule.Service != row.service() || reset != row["alias_reset"] ||
		strconv.Itoa(got.Limit) != row["x_rate_limit"] || strconv.Itoa(got.Remaining) != row["x_rate_limit_remaining"] {
		t.Fatalf("%s: read %v, row %v", where, said(a), row)
	}
	// The account's limit stays 700 whatever webhooks and Help Center say.
	if got.Rule.Service == Support && got.Limit != 700 {
		t.Fatalf("%s: the account's limit is read as %d", where, got.Limit)
	}
}

// checkEndpoint compares the endpoint's counter with the row's, if it has one.
func checkEndpoint(t *testing.T, where string, row recorded, a *limit.Answer) bool {
	t.Helper()
	if row["endpoint_header"] == "" {
		if len(a.Readings()) != 1 {
			t.Fatalf("%s: read %v", where, said(a))
		}
		return false
	}
	if len(a.Readings()) != 2 {
		t.Fatalf("%s: read %v", where, said(a))
	}
	got := a.Readings()[1]
	value := fmt.Sprintf("total=%d; remaining=%d; resets=%d", got.Limit, got.Remaining, got.Reset/time.Second)
	if "zendesk-rate-limit-"+got.Rule.ID != row["endpoint_header"] || value != row["endpoint_value"] {
		t.Fatalf("%s: read %s %s, row %v", where, got.Rule.ID, value, row)
	}
	return true
}

func TestRecordedRefusalsAreNotBlamedOnTheAccount(t *testing.T) {
	seen := 0
	for _, row := range recordedRows(t) {
		if row["status"] != "429" {
			continue
		}
		seen++
		body := bodyC
		if strings.HasPrefix(row["path"], "/api/v2/users/") {
			body = bodyUser
		}
		p := New(UnknownPlan)
		route := p.Route(row.request(t))
		got := p.Refusal(&route, 429, row.header(asRecorded), []byte(body))
		if !got.Limit || got.Permanent || got.Rule == nil || got.Rule.Primary {
			t.Errorf("%s %s: %+v", row["method"], row["path"], got)
		}
		drawn := false
		for _, d := range route.Draws() {
			drawn = drawn || d.Rule == got.Rule
		}
		if !drawn {
			t.Errorf("%s is blamed on %s, which its route does not draw on", row["path"], ruleID(got))
		}
	}
	if seen != 2 {
		t.Errorf("%d recorded refusals", seen)
	}
}
