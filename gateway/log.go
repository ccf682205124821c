package gateway

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// longHold is the hold from which on a call is worth a line.
const longHold = 5 * time.Second

// LogSink returns a sink that writes a line to log for each refusal, by the
// account or by flyball, for each hold over 5 s, and, once a minute for each
// bucket, when more callers wait than their patience can serve. Each line says
// which call of whom, which limit, why, and how long. Pass it to the
// transport.
func LogSink(log *slog.Logger) event.Sink {
	l := &lines{log: log, crowded: make(map[limit.Key]time.Time)}
	return l.take
}

type lines struct {
	log *slog.Logger

	mu      sync.Mutex
	crowded map[limit.Key]time.Time // the last line about a bucket's crowd
}

func (l *lines) take(e event.Event) {
	switch e.Kind {
	case event.GaveUp:
		l.log.Warn("call refused by flyball", l.attrs(e, "after", age(e), "would_wait", short(e.Wait), "may_try_again", stamp(e.Until))...)
	case event.Refused:
		l.log.Warn("send refused by the account", l.attrs(e, "after", age(e), "status", e.Status, "paused_until", stamp(e.Until), "said", scrub(e.Text))...)
	case event.Admitted:
		if e.Wait > longHold {
			l.log.Info("call held", l.attrs(e, "held", short(e.Wait))...)
		}
	case event.Left:
		if e.Wait > longHold {
			l.log.Info("call held until its client left", l.attrs(e, "held", short(e.Wait))...)
		}
	case event.Extra:
		l.log.Warn("the connection sent a call twice by itself; both are charged", l.attrs(e)...)
	case event.Crowded:
		if l.firstInAMinute(e) {
			l.log.Warn("more calls wait than their patience can serve; start fewer workers, or allow a longer wait (--max-wait) and raise the clients' timeouts",
				"limit", limitText(e), "waiting", e.Waiting, "servable", e.Servable)
		}
	case event.StoreFailed:
		if l.firstInAMinute(e) {
			l.log.Warn("cache store fails: calls go on without kept answers; see that its disk has room and may be written, or leave cache.file out", "error", scrub(fmt.Sprint(e.Err)))
		}
	default: // nothing that somebody must know
	}
}

// attrs are the words of a line about one call.
func (l *lines) attrs(e event.Event, more ...any) []any {
	method, route, client := "", "", ""
	hold := limit.Hold{Bucket: e.Bucket, Reason: e.Reason}
	if c := e.Call; c != nil {
		method, route, _ = strings.Cut(c.Route.Class, " ")
		client = c.Client
		if hold.Bucket == (limit.Key{}) {
			hold = c.HeldFor
		}
	}
	e.Bucket = hold.Bucket
	attrs := []any{
		"method", method, "route", route, "client", scrub(client),
		"limit", limitText(e), "why", string(hold.Reason),
	}
	return append(attrs, more...)
}

// age is how long a call has been here when e happened to it.
func age(e event.Event) string {
	if e.Call == nil || e.Call.Arrived.IsZero() || e.At.IsZero() {
		return ""
	}
	return short(e.At.Sub(e.Call.Arrived))
}

// short writes a duration for people; a JSON log would count nanoseconds.
func short(d time.Duration) string { return d.Round(time.Millisecond).String() }

// limitText names a bucket with its limit, if known.
func limitText(e event.Event) string {
	if e.Bucket == (limit.Key{}) {
		return ""
	}
	text := e.Bucket.String()
	if e.Limit > 0 && e.Window > 0 {
		text += fmt.Sprintf(" (%d per %s)", e.Limit, e.Window)
	}
	return text
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// manyCrowds bounds the buckets remembered; objects come and go.
const manyCrowds = 256

func (l *lines) firstInAMinute(e event.Event) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.crowded[e.Bucket]; ok && e.At.Sub(last) < time.Minute {
		return false
	}
	if len(l.crowded) >= manyCrowds {
		clear(l.crowded)
	}
	l.crowded[e.Bucket] = e.At
	return true
}

// A lineLog takes the lines that net/http writes, for a log of ours.
type lineLog struct {
	log  *slog.Logger
	what string
}

func (l lineLog) Write(p []byte) (int, error) {
	l.log.Warn(l.what, "error", scrub(strings.TrimSpace(string(p))))
	return len(p), nil
}
