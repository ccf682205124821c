package audit

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/audit/accesslog"
)

// own reads flyball's own access log.
func own(line string, c *Call) error {
	var l accesslog.Line
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		return err
	}
	switch {
	case l.Time.IsZero():
		return errors.New(`no "time"`)
	case l.Msg == accesslog.SendMessage:
		return ownSend(&l, c)
	case l.Msg != accesslog.Message:
		return errNoCall // a line about something else in the same log
	case !isMethod(l.Method):
		return errors.New(`no "method" such as "GET"`)
	}
	c.Method = l.Method
	c.target(l.Path)
	c.QueryID = l.Query
	c.Status, c.Bytes, c.ETag = l.Status, max(0, l.Bytes), l.ETag
	c.Sends = bounded(l.Sends, 100)
	c.Refused = bounded(l.Refused, c.Sends)
	c.Saved, c.HeldFor, c.Turned = printable(l.Saved), printable(l.HeldFor), printable(l.Turned)
	c.Took, c.Hold = ownSeconds(l.Took), ownSeconds(l.Hold)
	c.ownRest(&l)
	if c.Who = l.Credential; c.Who == "" {
		c.Who = l.Client
	}
	if l.RetryAfter > 0 {
		c.addHeader("Retry-After", strconv.Itoa(l.RetryAfter))
	}
	if l.Limit > 0 && l.Left != nil {
		c.addHeader("X-Rate-Limit", strconv.Itoa(l.Limit))
		c.addHeader("X-Rate-Limit-Remaining", strconv.Itoa(*l.Left))
	}
	return nil
}

// ownSend reads a send that flyball made of its own, for many calls at once,
// say.
func ownSend(l *accesslog.Line, c *Call) error {
	method, path, _ := strings.Cut(l.Route, " ")
	if !isMethod(method) {
		return errors.New(`no "route" such as "GET /api/v2/tickets/show_many"`)
	}
	c.Method, c.Path = method, path
	c.Status, c.Sends, c.Made = l.Status, 1, true
	if l.Status == http.StatusTooManyRequests {
		c.Refused = 1
	}
	c.Took = ownSeconds(l.Upstream)
	c.ownRest(l)
	return nil
}

// ownRest reads what both kinds of line have.
func (c *Call) ownRest(l *accesslog.Line) {
	c.At = l.Time.Add(-c.Took)
	c.Client = clientName(l.Client, "", "")
	c.Rate = l.Rate
	if !(c.Rate > 1e-6 && c.Rate < 1) {
		c.Rate = 1
	}
}

func ownSeconds(n float64) time.Duration { return seconds(strconv.FormatFloat(n, 'f', -1, 64)) }

func bounded(n, most int) int { return min(max(0, n), most) }

// errNoCall says that a line is in order and tells of no call.
var errNoCall = errors.New("not a call")

// debug reads the debug log of Python's urllib3, which zenpy and requests use,
// where its lines begin with a time:
//
//	2026-11-23 10:00:00,123 DEBUG urllib3.connectionpool https://acme.zendesk.com:443 "GET /api/v2/users/me.json HTTP/1.1" 200 1234
func debug(line string, c *Call) error {
	at, err := debugTime(line)
	if err != nil {
		return errNoCall // the second line of a message, say
	}
	i := strings.Index(line, `://`)
	if i < 0 {
		return errNoCall
	}
	host, rest, _ := strings.Cut(line[i+3:], " ")
	w := words{rest: rest}
	request, _ := w.next()
	if !c.request(request) {
		return errNoCall
	}
	code, _ := w.next()
	var ok bool
	if c.Status, ok = status(code); !ok {
		return errStatus
	}
	length, _ := w.next()
	c.Bytes = size(length)
	c.At, c.Host, c.Blur = at, host, time.Second // when its answer came
	c.Client, c.Who = "urllib3", "urllib3"
	return nil
}

// debugTime reads the time as Python's logging writes it, in UTC for want of
// anything better.
func debugTime(line string) (time.Time, error) {
	const layout = "2006-01-02 15:04:05"
	if len(line) < len(layout) {
		return time.Time{}, errTime
	}
	at, err := time.Parse("2006-01-02 15:04:05", strings.Replace(line[:len(layout)], "T", " ", 1))
	if err != nil {
		return at, err
	}
	rest := line[len(layout):]
	if len(rest) > 4 && (rest[0] == ',' || rest[0] == '.') {
		if ms, err := strconv.Atoi(rest[1:4]); err == nil && ms >= 0 {
			at = at.Add(time.Duration(ms) * time.Millisecond)
		}
	}
	return at, nil
}
