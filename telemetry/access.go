package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/flyballhq/flyball/audit/accesslog"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// An AccessLog writes a line of JSON for each call at its end, as package
// accesslog describes it: what flyball audit reads. Writing never blocks a
// call: lines wait in a buffer of 8 MiB, and what does not fit is counted in
// [AccessLog.Dropped]. Its methods may be called at once.
type AccessLog struct {
	spool *spool
	lines slog.Handler
	rate  float64
}

// AccessOptions tunes an access log. The zero value writes every line.
type AccessOptions struct {
	// Sample is the part of the calls without trouble that is written, such as
	// 0.1 for every tenth, at random; 0 and 1 are all of them. Errors, refusals
	// and answers that were cut are all written.
	Sample float64
	// Log is told, at most once a minute, when the file cannot be written; nil
	// tells nobody.
	Log *slog.Logger
}

// OpenAccessLog appends to the file at path. Close it when no call is served
// any more. For the programs that rotate logs there is [AccessLog.Reopen].
func OpenAccessLog(path string, o AccessOptions) (*AccessLog, error) {
	return newAccessLog(fileAt(path), o)
}

// StreamAccessLog writes to a stream that is open already and stays so, such
// as standard output.
func StreamAccessLog(to io.Writer, o AccessOptions) (*AccessLog, error) {
	return newAccessLog(stream{to}, o)
}

func newAccessLog(to sheet, o AccessOptions) (*AccessLog, error) {
	if !(o.Sample >= 0 && o.Sample <= 1) {
		return nil, fmt.Errorf("telemetry.AccessOptions: Sample: %v is not between 0 and 1", o.Sample)
	}
	s, err := newSpool(to, o.Log)
	if err != nil {
		return nil, err
	}
	l := &AccessLog{spool: s, rate: o.Sample}
	l.lines = slog.NewJSONHandler(s, nil)
	if l.rate == 0 {
		l.rate = 1
	}
	return l, nil
}

// Reopen closes the file and opens it anew under its name, soon: whoever
// rotates logs has moved it away.
func (l *AccessLog) Reopen() { l.spool.reopen() }

// Close writes what is waiting and closes the file; what that does not take
// within 5 s is lost. So are lines that come later.
func (l *AccessLog) Close() error { return l.spool.close() }

// Dropped returns how many lines were lost because the file did not take them.
func (l *AccessLog) Dropped() int { return l.spool.lost() }

// Served writes the line of a call; give it to gateway.Options.OnServed.
func (l *AccessLog) Served(s event.Served) {
	rate, kept := l.keep(s.Status >= http.StatusBadRequest || s.Cut || s.Receipt.Refused > 0 || s.Refused != "")
	if !kept {
		return
	}
	r := slog.NewRecord(s.Began.Add(s.Took).UTC(), slog.LevelInfo, accesslog.Message, 0)
	var room [24]slog.Attr
	a := attrs(room[:0])
	a.asked(s)
	a.text("turned", s.Refused)
	a.cost(s.Receipt, s.Status)
	a.seconds("took", s.Took)
	a.answered(s)
	a.number("rate", rate)
	r.AddAttrs(a...)
	_ = l.lines.Handle(context.Background(), r) // the spool counts what it cannot take
}

// Sink returns what writes a line for each send that is in no call's own line;
// give it to flyball.Options.OnEvent. With these the sends of all lines are
// what reached the account.
func (l *AccessLog) Sink() event.Sink {
	return func(e event.Event) {
		switch e.Kind {
		case event.Sent, event.Lost:
			if !e.Unsent && e.Call.Orphan() {
				l.send(e)
			}
		case event.Extra:
			l.send(e)
		default: // told in the call's line
		}
	}
}

func (l *AccessLog) send(e event.Event) {
	rate, kept := l.keep(e.Status == 0 || e.Status >= http.StatusBadRequest)
	if !kept {
		return
	}
	r := slog.NewRecord(e.At.UTC(), slog.LevelInfo, accesslog.SendMessage, 0)
	var room [10]slog.Attr
	a := attrs(room[:0])
	c := e.Call
	a.text("client", c.Client)
	a.text("class", c.Class.String())
	a.text("route", c.Route.Class)
	a = append(a, slog.Int("status", e.Status), slog.Int("sends", 1))
	if c.For != limit.NotSaved {
		a.text("for", c.For.String())
	}
	a.seconds("upstream", e.Took)
	a.number("rate", rate)
	r.AddAttrs(a...)
	_ = l.lines.Handle(context.Background(), r)
}

// keep says whether a line is written, and what part of its like is; 0 is
// all of them.
func (l *AccessLog) keep(trouble bool) (rate float64, kept bool) {
	if trouble || l.rate >= 1 {
		return 0, true
	}
	return l.rate, rand.Float64() < l.rate
}

// attrs are the fields of a line. Those that are zero are left out.
type attrs []slog.Attr

// asked is who asked for what, without anything that could be a secret.
func (a *attrs) asked(s event.Served) {
	r := s.Request
	a.text("client", s.Client)
	a.text("credential", accesslog.CredentialHash(r.Header.Get("Authorization")))
	a.text("class", s.Receipt.Class.String())
	a.text("method", method(r.Method))
	a.text("route", s.Receipt.Route)
	a.text("path", accesslog.ScrubPath(r.URL.Path, r.URL.RawQuery))
	a.text("query", accesslog.QueryHash(r.URL.RawQuery))
}

// cost is what a call was answered, and what that took.
func (a *attrs) cost(c limit.Receipt, status int) {
	*a = append(*a, slog.Int("status", status), slog.Int("sends", c.Sends))
	a.integer("refused", int64(c.Refused))
	if c.HeldFor.Bucket != (limit.Key{}) {
		a.text("held_for", bucketName(c.HeldFor.Bucket))
	}
	a.seconds("hold", c.Held)
	a.seconds("upstream", c.Upstream)
	if c.SavedBy != limit.NotSaved {
		a.text("saved", c.SavedBy.String())
	}
	if c.Stated {
		*a = append(*a, slog.Int("limit", c.Limit), slog.Int("left", c.Left))
	}
}

// answered is the answer as its client got it.
func (a *attrs) answered(s event.Served) {
	a.integer("bytes", s.Bytes)
	if wait, err := strconv.Atoi(s.Header.Get("Retry-After")); err == nil {
		a.integer("retry_after", int64(wait))
	}
	a.text("etag", etag(s.Header.Get("Etag")))
	if s.Cut {
		*a = append(*a, slog.Bool("cut", true))
	}
}

func (a *attrs) text(key, value string) {
	if value != "" {
		*a = append(*a, slog.String(key, value))
	}
}

func (a *attrs) integer(key string, n int64) {
	if n != 0 {
		*a = append(*a, slog.Int64(key, n))
	}
}

func (a *attrs) number(key string, n float64) {
	if n != 0 {
		*a = append(*a, slog.Float64(key, n))
	}
}

// seconds rounds to microseconds: it keeps lines short.
func (a *attrs) seconds(key string, d time.Duration) {
	a.number(key, d.Round(time.Microsecond).Seconds())
}

// method returns a method as it stands in a log: what no API has may be
// anything.
func method(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT":
		return m
	}
	return "OTHER"
}

// maxETag bounds an ETag in a log.
const maxETag = 80

func etag(s string) string {
	if len(s) > maxETag {
		return ""
	}
	return s
}
