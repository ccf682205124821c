package cache

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// land hands the leader its answer, and sees to it that the others get theirs
// and the store what it may keep.
func (f *sharedSend) land(resp *http.Response, err error) (*http.Response, error) {
	switch {
	case err != nil:
		_, limited := errors.AsType[*limit.WaitError](err)
		f.settle(outcome{err: err, again: limited || f.ctx.own.Err() != nil})
		f.free()
		return nil, err
	case resp.StatusCode == http.StatusNotModified && f.confirms:
		return f.confirmed(resp), nil
	}
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	kept := f.rule != nil && f.rule.keepable(resp.StatusCode, resp.Header)
	o := sharing(resp)
	if resp.ContentLength > f.MaxBody || f.tooLong() {
		kept, o = false, outcome{alone: true}
	}
	if f.rule != nil {
		f.markMissed(resp.Header, f.missed(kept))
	}
	if f.capture(resp, kept, !o.alone && !o.again) {
		return resp, nil
	}
	f.settle(o)
	f.stream(resp)
	return resp, nil
}

// tooLong reports whether nothing may be captured: MaxBody allows none.
func (f *sharedSend) tooLong() bool { return f.MaxBody <= 0 }

// sharing says whether an answer is for those, too, who joined. A refusal is
// its leader's, whose patience ended there.
func sharing(resp *http.Response) outcome {
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		return outcome{again: true}
	case said(resp.Header, "no-store"):
		return outcome{alone: true}
	}
	return outcome{}
}

// capture makes the body one that is captured on its way, if somebody has use
// for it.
func (f *sharedSend) capture(resp *http.Response, kept, shared bool) bool {
	f.mu.Lock()
	joined := f.callers > 1 || f.leaderLeft && f.callers > 0
	if !kept {
		f.shut() // who comes now would wait for a body that nobody captures
	}
	if !kept && !(joined && shared) {
		f.mu.Unlock()
		return false
	}
	e := f.entryOf(resp)
	want := resp.ContentLength
	if want == 0 && resp.Body != http.NoBody {
		want = -1 // an answer made by hand, which states no length
	}
	f.body = newBody(resp.Body, want, f.MaxBody, func(whole []byte, err error) { f.captured(e, whole, kept, err) })
	pumping := joined && f.body.hold()
	b := f.body
	f.mu.Unlock()
	if pumping {
		go b.pump()
	}
	resp.Body = &leaderBody{body: b, leave: func() { f.leaderLeaves(errLeft); f.free() }}
	return true
}

// captured ends the capture.
func (f *sharedSend) captured(e *Entry, whole []byte, kept bool, err error) {
	if err != nil {
		f.settle(outcome{err: err, alone: errors.Is(err, errTooLong), again: errors.Is(err, errLeft)})
		return
	}
	e.Body = whole
	e.Header["Content-Length"] = []string{strconv.Itoa(len(whole))}
	if kept {
		f.put(e)
	}
	f.settle(outcome{entry: e})
}

// put keeps an entry, unless a write has outdated what it says. A store that
// fails is gone without.
func (f *sharedSend) put(e *Entry) {
	e.Key, e.Tags = f.key, f.holds(&f.question)
	e.Until = f.rule.until(e)
	if !e.Until.After(e.Stored) {
		return
	}
	p, ok := f.history.begin(f.began, e.Tags)
	if !ok {
		return
	}
	if err := f.Store.Put(e); err != nil {
		f.failed(f.call, "put", err)
	}
	f.puts.Add(1)
	f.history.end(p)
}

// confirmed answers with the entry that the server has confirmed.
func (f *sharedSend) confirmed(resp *http.Response) *http.Response {
	_, _ = io.CopyN(io.Discard, resp.Body, 1)
	_ = resp.Body.Close()
	now := time.Now()
	e := &Entry{Status: f.entry.Status, Header: f.entry.Header.Clone(), Body: f.entry.Body, Vary: f.entry.Vary, Stored: now, Age: ageIn(resp.Header), forms: new(forms)}
	for name, values := range cleaned(resp.Header) {
		if !strings.HasPrefix(name, "Content-") {
			e.Header[name] = values
		}
	}
	f.put(e)
	f.settle(outcome{entry: e})
	f.free()
	return f.answer(&f.question, e, statusConfirmed, now)
}

// stream lets the body pass untouched; closing it ends the flight.
func (f *sharedSend) stream(resp *http.Response) {
	if f.unhook == nil {
		return
	}
	if resp.Body == http.NoBody {
		f.free()
		return
	}
	resp.Body = &streamed{resp.Body, f}
}

type streamed struct {
	io.ReadCloser
	flight *sharedSend
}

func (s *streamed) Close() error {
	s.flight.free()
	return s.ReadCloser.Close()
}

// free ends the watch over the leader's context.
func (f *sharedSend) free() {
	if f.unhook != nil {
		f.unhook()
	}
}

// missed says in Cache-Status why the call was sent.
func (f *sharedSend) missed(kept bool) []string {
	switch {
	case !kept:
		return statusMiss
	case f.entry == nil && f.vary:
		return statusVary
	case f.ask.noCache:
		return statusRequest
	case f.entry != nil:
		return statusStale
	}
	return statusStored
}

// entryOf is the answer as it is kept, without its body.
func (f *sharedSend) entryOf(resp *http.Response) *Entry {
	e := &Entry{Status: resp.StatusCode, Header: cleaned(resp.Header), Stored: time.Now(), Age: ageIn(resp.Header)}
	if f.rule != nil {
		e.Age += f.call.Upstream
	}
	e.Vary, e.forms = varied(resp.Header, f.req.Header), new(forms)
	return e
}

// ageIn is how old the answer was when it came.
func ageIn(h http.Header) time.Duration {
	if values := h["Age"]; len(values) > 0 {
		return min(seconds(values[0], 0), longest)
	}
	return 0
}

// cleaned is a copy of a header without what is between two hops only, what
// is told to one caller, and what is told anew each time.
func cleaned(h http.Header) http.Header {
	c := maps.Clone(h)
	for _, field := range h["Connection"] {
		for name := range strings.SplitSeq(field, ",") {
			delete(c, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)))
		}
	}
	for _, name := range [...]string{
		"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Set-Cookie", "Set-Cookie2", "Cache-Status", "Age", "Server-Timing",
	} {
		delete(c, name)
	}
	return c.Clone()
}
