package cache

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// readKept answers a GET or HEAD on a route that has a rule.
func (t *transport) readKept(req *http.Request, call *limit.Call, rule *Rule) (*http.Response, error) {
	q := question{req: req, call: call, rule: rule, ask: askOf(req.Header)}
	if q.ask.noStore {
		return t.next.RoundTrip(req)
	}
	q.key = keyOf(t.Account, req)
	for {
		seen := t.puts.Load()
		now := time.Now()
		if t.look(&q, now) == fresh {
			return t.hit(&q, now), nil
		}
		if q.ask.onlyIfCached {
			return notCached(req), nil
		}
		if req.Method == http.MethodHead {
			return t.next.RoundTrip(req)
		}
		resp, again, err := t.ask1(&q, seen)
		if !again {
			return resp, err
		}
	}
}

// look finds the question's entry and judges it.
func (t *transport) look(q *question, now time.Time) worth {
	q.entry, q.vary, q.confirms, q.spare = nil, false, false, false
	e, err := t.Store.Get(q.key)
	if err == nil && e != nil && e.Key != q.key {
		err = errAnother
	}
	if err != nil {
		t.failed(q.call, "get", err)
		return useless
	}
	if e == nil || e.Stored.UnixNano() <= t.doubted.Load() {
		return useless
	}
	if !e.suits(q.req.Header) {
		q.vary = true
		return useless
	}
	w, ttl := q.rule.judge(e, q.ask, now)
	q.entry, q.ttl = e, ttl
	q.spare = w == stale && q.rule.allowsStale(e, q.ask, ttl)
	return w
}

// ask1 asks the server, or joins who does. again says to look anew.
func (t *transport) ask1(q *question, seen uint64) (resp *http.Response, again bool, err error) {
	q.out = q.outgoing()
	f, leads := t.enter(*q)
	if !leads {
		resp, again, err = t.join(f, q)
		if again && q.spare {
			return t.instead(q), false, nil
		}
		return resp, again, err
	}
	if t.puts.Load() != seen && t.look(q, time.Now()) == fresh {
		// Its answer was put between the look into the store and the table.
		f.settle(outcome{again: true})
		return t.hit(q, time.Now()), false, nil
	}
	if !q.spare || q.call.NoWait {
		f.spare = false
		resp, err = f.lead()
		return resp, false, err
	}
	q.call.NoWait, q.call.Spare = true, true
	resp, err = f.lead()
	if limited(resp, err) {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return t.instead(q), false, nil
	}
	return resp, false, err
}

// limited reports whether a send was held back or refused.
func limited(resp *http.Response, err error) bool {
	if err != nil {
		_, held := errors.AsType[*limit.WaitError](err)
		return held
	}
	return resp.StatusCode == http.StatusTooManyRequests
}

// outgoing is the request as it is sent: the client's condition is answered
// here, and ours asks whether the entry still holds.
func (q *question) outgoing() *http.Request {
	q.confirms = q.entry != nil && q.entry.Header["Etag"] != nil
	if !q.confirms && q.req.Header["If-None-Match"] == nil {
		return q.req
	}
	out := q.req.WithContext(q.req.Context())
	out.Header = maps.Clone(q.req.Header)
	delete(out.Header, "If-None-Match")
	if q.confirms {
		out.Header["If-None-Match"] = q.entry.Header["Etag"][:1:1]
	}
	return out
}

// hit answers out of the store.
func (t *transport) hit(q *question, now time.Time) *http.Response {
	t.Sink.Emit(event.Event{Kind: event.Saved, At: now, Call: q.call, Cause: limit.Cached, Status: q.entry.Status})
	return t.aged(q, now, q.ttl <= 0)
}

// instead answers with what is stale, for the limits hold the send back.
func (t *transport) instead(q *question) *http.Response {
	now := time.Now()
	t.Sink.Emit(event.Event{Kind: event.Saved, At: now, Call: q.call, Cause: limit.Stale, Status: q.entry.Status})
	return t.aged(q, now, true)
}

func (t *transport) aged(q *question, now time.Time, stale bool) *http.Response {
	status, age := hitFields(q.ttl, stale, q.entry.ageAt(now))
	resp := t.answer(q, q.entry, status, now)
	resp.Header["Age"] = age
	return resp
}

// answer makes a response of an entry.
func (t *transport) answer(q *question, e *Entry, status []string, now time.Time) *http.Response {
	resp := &http.Response{
		Status: statusLine(e.Status), StatusCode: e.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: copied(q.header, e.Header), ContentLength: int64(len(e.Body)), Request: q.req,
	}
	mark(resp.Header, status)
	if t.keeper != nil {
		var standing limit.Standing
		if t.Standing != nil {
			standing = t.Standing(&q.call.Route)
		}
		t.keeper.Restate(&q.call.Route, resp.Header, standing)
	}
	switch {
	case q.unchanged(e):
		resp.StatusCode, resp.Status = http.StatusNotModified, statusLine(http.StatusNotModified)
		delete(resp.Header, "Content-Length")
		delete(resp.Header, "Content-Type")
		delete(resp.Header, "Content-Encoding")
		resp.Body, resp.ContentLength = http.NoBody, 0
	case q.req.Method == http.MethodHead:
		resp.Body = http.NoBody
	default:
		resp.Body = bodyOf(e.Body)
	}
	return resp
}

// unchanged reports whether the caller has what is in e.
func (q *question) unchanged(e *Entry) bool {
	fields := q.req.Header["If-None-Match"]
	return fields != nil && q.rule != nil && e.Status == http.StatusOK && matches(fields, e.Header.Get("Etag"))
}

func statusLine(status int) string {
	if status == http.StatusOK {
		return "200 OK"
	}
	return strconv.Itoa(status) + " " + http.StatusText(status)
}

// A whole is a body out of memory.
type whole struct{ bytes.Reader }

func bodyOf(b []byte) io.ReadCloser {
	if len(b) == 0 {
		return http.NoBody
	}
	w := &whole{}
	w.Reset(b)
	return w
}

func (*whole) Close() error { return nil }

// notCached is the answer to a call that wanted no send (RFC 9111, 5.2.1.7).
func notCached(req *http.Request) *http.Response {
	const text = `{"error":"FlyballNotCached","description":"nothing fresh is kept for this call, and its Cache-Control: only-if-cached allows no send"}`
	return &http.Response{
		Status: statusLine(http.StatusGatewayTimeout), StatusCode: http.StatusGatewayTimeout, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}, "Cache-Status": statusOnlyIf[:1:1], "Content-Length": {strconv.Itoa(len(text))}},
		Body:   bodyOf([]byte(text)), ContentLength: int64(len(text)), Request: req,
	}
}
