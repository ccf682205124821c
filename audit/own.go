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
