package simulator

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/simulator/desk"
)

// Fault is a rule by which the account misbehaves. The first half says on which
// requests, and every condition set must hold; the second half says how, and
// effects add up. Of several faults that fire at once, the first to set an effect
// decides it.
type Fault struct {
	// Method is the HTTP method; empty is any. GET includes HEAD.
	Method string
	// Path is the path with * for any text, such as "/api/v2/tickets*"; empty is
	// any. With a ? in it, it is compared with the path and its query.
	Path string
	// Every fires on each so-manieth request that matches Method and Path.
	Every int
	// Nth fires on these of them, the first being 1.
	Nth []int
	// Probability fires on this share of them, seeded; 0 is all.
	Probability float64
	// Count is how often the fault fires at most; 0 is for ever.
	Count int

	// Status answers with 429 or a 5xx in place of the work; 0 is none.
	Status int
	// Body is a 429's body; empty is BodyAccount.
	Body Body
	// RetryAfter is that header, literally: "0", "1.5", a date. Empty is the
	// seconds to the window's end on a 429 and no header on a 5xx; "none" is no
	// header; "date" is the date of the window's end.
	RetryAfter string
	// Cut breaks the connection.
	Cut Cut
	// Delay comes before the answer, after the work.
	Delay time.Duration
	// SlowBody spreads the body over this time.
	SlowBody time.Duration
	// StrayZero makes the answer say that nothing remains of the account's limit.
	StrayZero bool
	// Overstate makes the answer say that more remains of the account's limit than
	// does, by a seeded number up to this and never above the limit.
	Overstate int
	// Headers spoils the limit headers.
	Headers HeaderFault

	// The rest is about the background job that the request starts, and does
	// nothing to other requests.

	// Items is how many of the job's items fail, chosen by the seed; the job
	// completes all the same.
	Items int
	// Job makes the whole job go wrong.
	Job JobFault
	// Unseen is how long the new job's id answers 404.
	Unseen time.Duration
	// Results changes the form of the job's results; empty is the recorded one.
	Results ResultForm
}

// Cut says where a connection breaks.
type Cut string

// The places a connection breaks at.
const (
	CutBefore Cut = "before" // before the work: nothing was done
	CutAfter  Cut = "after"  // after it: done, and the caller does not know
	CutBody   Cut = "body"   // in the middle of the answer's body
)

// JobFault is how a background job goes wrong as a whole.
type JobFault string

// The ways of a job to go wrong.
const (
	JobFailed JobFault = "failed" // it ends as failed, with nothing done and no results
	JobStuck  JobFault = "stuck"  // it never ends
)

// ResultForm is a form of a job's results: "index" (each entry has one), "id"
// (none has), "shuffled", "index+shuffled" or "id+shuffled".
type ResultForm = desk.ResultForm

// HeaderFault is a way of spoiling limit headers.
type HeaderFault string

// The ways of spoiling limit headers.
const (
	HeadersAbsent    HeaderFault = "absent"    // none of them
	HeadersGarbage   HeaderFault = "garbage"   // values that are no numbers
	HeadersReordered HeaderFault = "reordered" // endpoint headers with other order and spacing, and an unknown key
)

// noRetryAfter leaves the header away, dateRetryAfter makes it a date.
const (
	noRetryAfter   = "none"
	dateRetryAfter = "date"
)

// Check reports what is wrong with the fault.
func (f Fault) Check() error {
	switch {
	case f.Status != 0 && f.Status != http.StatusTooManyRequests && (f.Status < 500 || f.Status > 599):
		return fmt.Errorf("fault status %d: must be 429 or 500 to 599", f.Status)
	case f.Body != "" && !slices.Contains(Bodies(), f.Body):
		return fmt.Errorf("fault body %q: must be one of %v", f.Body, Bodies())
	case !slices.Contains([]Cut{"", CutBefore, CutAfter, CutBody}, f.Cut):
		return fmt.Errorf("fault cut %q: must be before, after or body", f.Cut)
	case !slices.Contains([]HeaderFault{"", HeadersAbsent, HeadersGarbage, HeadersReordered}, f.Headers):
		return fmt.Errorf("fault headers %q: must be absent, garbage or reordered", f.Headers)
	case !slices.Contains([]JobFault{"", JobFailed, JobStuck}, f.Job):
		return fmt.Errorf("fault job %q: must be failed or stuck", f.Job)
	case f.Results != "" && !slices.Contains(desk.ResultForms(), f.Results):
		return fmt.Errorf("fault results %q: must be one of %v", f.Results, desk.ResultForms())
	case !(f.Probability >= 0 && f.Probability <= 1):
		return fmt.Errorf("fault probability %g: must be from 0 to 1", f.Probability)
	case f.Body != "" && f.Status != http.StatusTooManyRequests:
		return fmt.Errorf("fault body %q: only a 429 has it; set status=429", f.Body)
	case f.RetryAfter != "" && f.Status == 0:
		return fmt.Errorf("fault retry-after %q: set a status with it", f.RetryAfter)
	case min(f.Every, f.Count, f.Overstate, f.Items) < 0 || min(f.Delay, f.SlowBody, f.Unseen) < 0:
		return fmt.Errorf("fault every, count, delay, slow-body, overstate, items or unseen is negative")
	case slices.ContainsFunc(f.Nth, func(n int) bool { return n < 1 }):
		return fmt.Errorf("fault nth %v: the first is 1", f.Nth)
	case strings.ContainsAny(f.RetryAfter, "\r\n"):
		return fmt.Errorf("fault retry-after %q: must be one line", f.RetryAfter)
	}
	if !f.does() {
		return fmt.Errorf("fault does nothing: set one of status, cut, delay, slow-body, remaining=0, overstate, headers, items, job, unseen, results")
	}
	return nil
}

func (f Fault) does() bool {
	return f.Status != 0 || f.Cut != "" || f.Delay > 0 || f.SlowBody > 0 || f.StrayZero || f.Overstate > 0 || f.Headers != "" ||
		f.Items > 0 || f.Job != "" || f.Unseen > 0 || f.Results != ""
}

// armed is a fault with its own count of what it met.
type armed struct {
	Fault
	n     uint64 // its place, for its draws
	met   int    // requests that matched method and path
	fired int
}

func arm(faults []Fault) []*armed {
	list := make([]*armed, len(faults))
	for i, f := range faults {
		list[i] = &armed{Fault: f, n: uint64(i)}
	}
	return list
}

// fires counts the call if it matches and reports whether the fault strikes it.
func (a *armed) fires(c *call, seed uint64) bool {
	if a.Method != "" && a.Method != c.method || !a.path(c) {
		return false
	}
	a.met++
	switch {
	case a.Count > 0 && a.fired >= a.Count,
		a.Every > 0 && a.met%a.Every != 0,
		len(a.Nth) > 0 && !slices.Contains(a.Nth, a.met),
		a.Probability > 0 && unit(seed, streamFault, a.n<<40|uint64(a.met)) >= a.Probability:
		return false
	}
	a.fired++
	return true
}

func (a *armed) path(c *call) bool {
	if a.Path == "" {
		return true
	}
	if strings.Contains(a.Path, "?") {
		return glob(a.Path, c.path+"?"+c.query)
	}
	return glob(a.Path, c.path)
}

// glob matches text against a pattern in which * stands for any text.
func glob(pattern, text string) bool {
	head, rest, starred := strings.Cut(pattern, "*")
	if !strings.HasPrefix(text, head) {
		return false
	}
	text = text[len(head):]
	for starred {
		var part string
		part, rest, starred = strings.Cut(rest, "*")
		if !starred {
			return strings.HasSuffix(text, part)
		}
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return text == ""
}

// strike joins the faults that fire on a call into one.
func strike(faults []*armed, c *call, seed uint64) Fault {
	var all Fault
	if len(faults) == 0 {
		return all
	}
	for _, a := range faults {
		if a.fires(c, seed) {
			all.add(a.drawn(seed))
		}
	}
	return all
}

// drawn is the fault with its seeded figures drawn for the call it strikes.
func (a *armed) drawn(seed uint64) Fault {
	f := a.Fault
	if f.Overstate > 0 {
		f.Overstate = int(unit(seed, streamOverstate, a.n<<40|uint64(a.met)) * float64(f.Overstate+1))
	}
	return f
}

// job is the fault in the desk's words.
func (f *Fault) job() desk.JobFault {
	return desk.JobFault{
		Items: f.Items, Failed: f.Job == JobFailed, Stuck: f.Job == JobStuck, Unseen: f.Unseen, Results: f.Results,
	}
}

func (f *Fault) add(g Fault) {
	if f.Status == 0 && g.Status != 0 {
		f.Status, f.Body, f.RetryAfter = g.Status, g.Body, g.RetryAfter
	}
	if f.Cut == "" {
		f.Cut = g.Cut
	}
	if f.Headers == "" {
		f.Headers = g.Headers
	}
	f.StrayZero = f.StrayZero || g.StrayZero
	f.Overstate = max(f.Overstate, g.Overstate)
	f.Delay = max(f.Delay, g.Delay)
	f.SlowBody = max(f.SlowBody, g.SlowBody)
	f.Items = max(f.Items, g.Items)
	f.Unseen = max(f.Unseen, g.Unseen)
	f.Job = cmp.Or(f.Job, g.Job)
	f.Results = cmp.Or(f.Results, g.Results)
}

// answer is what a fault with a status answers; end is the end of the window.
func (f *Fault) answer(seconds int, end time.Time) answer {
	wait := f.RetryAfter
	switch {
	case wait == noRetryAfter:
		wait = ""
	case wait == dateRetryAfter:
		wait = end.UTC().Format(http.TimeFormat)
	case wait == "" && f.Status == http.StatusTooManyRequests:
		wait = fmt.Sprint(seconds)
	}
	if f.Status == http.StatusTooManyRequests {
		body := f.Body
		if body == "" {
			body = BodyAccount
		}
		return refuse(body, "fault", wait, nil, "TicketBulkUpdateJobV3")
	}
	s := newHeaders(nil)
	s.set("Content-Type", kindHTML)
	s.set("Cache-Control", "no-cache")
	if wait != "" {
		s.set("Retry-After", wait)
	}
	text := fmt.Sprintf("<html><body><h1>%d %s</h1></body></html>", f.Status, http.StatusText(f.Status))
	return answer{status: f.Status, head: s, body: []byte(text)}
}

// spoil changes the limit headers that stand in h, by keys of one spelling.
func (f *Fault) spoil(h http.Header, names headerNames) {
	if f.Overstate > 0 {
		overstate(h, names, f.Overstate)
	}
	if f.StrayZero {
		for _, k := range []string{names.plainRemaining, names.remaining} {
			if h[k] != nil {
				h[k] = []string{"0"}
			}
		}
	}
	if f.Headers == "" {
		return
	}
	for k := range h {
		endpoint := names.endpoint != "" && strings.HasPrefix(strings.ToLower(k), names.endpoint)
		plain := slices.Contains([]string{names.plain, names.plainRemaining, names.limit, names.remaining, names.reset}, k)
		switch {
		case !endpoint && !plain:
		case f.Headers == HeadersAbsent:
			delete(h, k)
		case f.Headers == HeadersGarbage:
			h[k] = []string{garbage[(len(k)+len(h[k][0]))%len(garbage)]}
		case endpoint:
			h[k] = []string{reorder(h[k][0])}
		}
	}
}

// overstate raises what remains, as far as the limit.
func overstate(h http.Header, names headerNames, by int) {
	limit, err := strconv.Atoi(h.Get(names.plain))
	if err != nil {
		return
	}
	for _, k := range []string{names.plainRemaining, names.remaining} {
		if n, err := strconv.Atoi(h.Get(k)); err == nil {
			h[k] = []string{strconv.Itoa(min(n+by, limit))}
		}
	}
}

// garbage is what a limit header should never be able to do harm with.
var garbage = []string{"", "-1", "NaN", "1e9", "99999999999999999999999", "total=; remaining", "\u00fc", "0x2bc", fmt.Sprint(math.MinInt64)}

// reorder turns an endpoint header's pairs around.
func reorder(value string) string {
	pairs := strings.Split(value, "; ")
	slices.Reverse(pairs)
	return strings.Join(pairs, ";") + " ;policy=fixed"
}
