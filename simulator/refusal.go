package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Body is one of the bodies a 429 was seen or documented with: the letters are
// those of zendesk-facts 4.1, the longer names two that were recorded or
// reported beside them.
type Body string

// The 429 bodies.
const (
	BodyTicket       Body = "A"                // one ticket's updates, plain words as text/html [BP]
	BodyAccount      Body = "B"                // the account's requests per minute, text
	BodyIncremental  Body = "C"                // incremental exports, JSON [AB11899]
	BodyUpdate       Body = "D"                // organization update, JSON [OAS]
	BodyAutocomplete Body = "D-autocomplete"   // organization autocomplete, JSON [OAS]
	BodyJobs         Body = "E"                // too many jobs, JSON [RL]
	BodyTotals       Body = "F"                // legacy object totals, permanent, JSON [LCO]
	BodyHourly       Body = "G"                // anonymous requests by the hour, text [PHP422]
	BodyEndpoint     Body = "H"                // other endpoints; unknown, C's envelope is a guess
	BodyEdge         Body = "J"                // edge protection, JSON
	BodyUser         Body = "user-update"      // one user's updates, recorded as text/plain
	BodyDepth        Body = "pagination-depth" // offset too deep, permanent, text
)

// Bodies lists the bodies a fault takes.
func Bodies() []Body {
	return []Body{
		BodyTicket, BodyAccount, BodyIncremental, BodyUpdate, BodyAutocomplete, BodyJobs,
		BodyTotals, BodyHourly, BodyEndpoint, BodyEdge, BodyUser, BodyDepth,
	}
}

const (
	kindJSON  = "application/json; charset=utf-8"
	kindHTML  = "text/html; charset=utf-8"
	kindPlain = "text/plain; charset=UTF-8"
)

// text is the body and its content type. rule names the bucket in H, jobs the
// running jobs and class the kind of job in E.
func (b Body) text(rule string, jobs []string, class string) (text, kind string) {
	switch b { //nolint:exhaustive // the rest is BodyAccount
	case BodyTicket:
		return "Rate limit for ticket updates exceeded, please wait before updating this ticket again", kindHTML
	case BodyIncremental:
		return `{"error":"APIRateLimitExceeded","description":"Number of allowed incremental export API requests per minute exceeded"}`, kindJSON
	case BodyUpdate:
		return `{"errors":[{"code":"TooManyRequests","title":"Too many requests to update"}]}`, kindJSON
	case BodyAutocomplete:
		return `{"errors":[{"code":"TooManyRequests","title":"Too many requests to autocomplete"}]}`, kindJSON
	case BodyJobs:
		return jobsBody(jobs, class), kindJSON
	case BodyTotals:
		return `{"errors":[{"code":"TooManyRequests","status":"429","title":"Too Many Requests","message":"You have reached the maximum number of resources for your plan"}]}`, kindJSON
	case BodyHourly:
		return "Number of allowed requests per hour exceeded", kindPlain
	case BodyEndpoint:
		return `{"error":"APIRateLimitExceeded","description":"Number of allowed ` + rule + ` API requests exceeded"}`, kindJSON
	case BodyEdge:
		return `{"detail":"Rate limited by Zendesk edge protection","status":"429","title":"Automated response"}`, kindJSON
	case BodyUser:
		return "You have exceeded the rate limit for updating a single unique user. user email:  id:  external_id: ", kindPlain
	case BodyDepth:
		return "Pagination limit reached for offset model", kindPlain
	}
	return "Number of allowed API requests per minute exceeded", kindHTML
}

func jobsBody(jobs []string, class string) string {
	quoted := make([]string, len(jobs))
	for i, id := range jobs {
		quoted[i] = strconv.Quote(id)
	}
	return fmt.Sprintf(`{"error":"TooManyJobs","description":"Too many %s jobs are currently queued or running. Try again later.","current_job_ids":[%s]}`,
		class, strings.Join(quoted, ","))
}

// jobClass is the name of a background job in body E; two of them were seen
// [RL], the others follow their form.
func jobClass(c *call) string {
	what := map[string]string{"users": "User", "organizations": "Organization"}[c.route.family()]
	if what == "" {
		what = "Ticket"
	}
	switch c.method {
	case http.MethodPost:
		return what + "BulkCreateJobV2"
	case http.MethodDelete:
		return what + "BulkDeleteJobV2"
	}
	if what == "Ticket" {
		return "TicketBulkUpdateJobV3"
	}
	return what + "BulkUpdateJobV2"
}

// retryAfter is the seconds a refused call is told to wait: to the end of the
// window, rounded up.
func (d *drawn) retryAfter(now time.Time) int {
	if d.rule.concurrent {
		return d.resets
	}
	return d.window.secondsLeft(now.UnixNano())
}

// refuse makes a 429 with the given body. The incremental one is publicly
// cacheable for its own wait, as recorded [ZP].
func refuse(b Body, rule string, wait string, jobs []string, class string) answer {
	text, kind := b.text(rule, jobs, class)
	s := newHeaders(nil)
	s.set("Content-Type", kind)
	cache := "no-cache"
	if b == BodyIncremental && wait != "" && strings.Trim(wait, "0123456789") == "" {
		cache = "max-age=" + wait + ", public"
	}
	s.set("Cache-Control", cache)
	if wait != "" {
		s.set("Retry-After", wait)
	}
	return answer{status: http.StatusTooManyRequests, head: s, body: []byte(text)}
}
