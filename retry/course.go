package retry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// A course is one call's way through its attempts.
type course struct {
	*transport
	req    *http.Request
	call   *limit.Call
	body   *body       // nil when the request has none
	header http.Header // with a key of ours, nil when the request's own will do

	sending *reader // the present attempt's body, nil without one
	ended   bool    // the present attempt returned; it did not panic
	refused int     // sends that the server refused
	faults  int     // repeats after faults
	last    outcome // of the attempt before
	doubt   outcome // the last one after which the work may have been done
}

// An outcome is what an attempt came to: an answer or an error.
type outcome struct {
	resp *http.Response
	err  error
}

func (o outcome) happened() bool { return o.resp != nil || o.err != nil }

// A verdict says what to do after an attempt: hand over the outcome, or
// repeat.
type verdict struct {
	outcome
	again bool
}

func handBack(resp *http.Response, err error) verdict {
	return verdict{outcome: outcome{resp, err}}
}

var repeat = verdict{again: true}

func (c *course) run() (*http.Response, error) {
	for {
		req, err := c.attempt()
		if err != nil {
			return nil, err
		}
		resp, err := c.next.RoundTrip(req)
		c.ended = true
		if err == nil && settled(resp.StatusCode) {
			c.allowance.sent()
			return resp, nil
		}
		if v := c.judge(resp, err); !v.again {
			return v.resp, v.err
		}
	}
}

// settled reports whether an answer is final on its status alone.
func settled(status int) bool {
	return status < 500 && status != http.StatusTooManyRequests || status > 504 || status == http.StatusNotImplemented
}

// attempt returns the request of the next attempt. Below this layer there is
// no GetBody: with one, [http.Transport] repeats a send by itself and nobody
// charges it.
func (c *course) attempt() (*http.Request, error) {
	c.ended, c.sending = false, nil
	if c.body == nil && c.header == nil && c.req.GetBody == nil {
		return c.req, nil
	}
	req := c.req.WithContext(c.req.Context())
	req.GetBody = nil
	if c.header != nil {
		req.Header = c.header
	}
	if c.body == nil {
		return req, nil
	}
	if c.body.describe(req) {
		return req, nil
	}
	r, err := c.body.open()
	if err != nil {
		return nil, fmt.Errorf("read the body of %s %s again: %w", c.req.Method, c.req.URL.Path, err)
	}
	c.sending, req.Body = r, r
	return req, nil
}

// finish gives up the course's hold on the body. An attempt that panicked has
// no further use for it either.
func (c *course) finish() {
	if !c.ended && c.sending != nil {
		c.sending.shut()
	}
	c.body.release()
}

func (c *course) judge(resp *http.Response, err error) verdict {
	if err != nil {
		return c.lost(err)
	}
	c.allowance.sent()
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	answer := c.Provider.Read(&c.call.Route, resp.StatusCode, resp.Header)
	tooMany := resp.StatusCode == http.StatusTooManyRequests
	if tooMany || answer.Refused {
		refusal := c.Provider.Refusal(&c.call.Route, resp.StatusCode, resp.Header, peek(resp))
		if refusal.Limit {
			return c.refusedBy(resp, !refusal.Permanent && !c.outlives(answer))
		}
	}
	c.last = outcome{resp: resp}
	if tooMany {
		// One that is no limit's is as safe to repeat, but nothing below may
		// hold the repeat back: it waits like a fault, with the floor of a 429.
		answer.HasRetryAfter = true
	} else {
		c.doubt = c.last
	}
	return c.fault(tooMany, answer)
}

// refusedBy repeats a send that the server refused, for every method: it was
// not processed. It does not sleep, since admission holds the repeat until
// the pause ends, and it does not ask the retry budget, since admission
// charges the repeat like any send and lets only as many go as the limit has
// room for.
func (c *course) refusedBy(resp *http.Response, worthwhile bool) verdict {
	c.refused++
	c.last = outcome{resp: resp}
	if !worthwhile || c.refused >= c.MaxRefused || !keep(resp) || !c.replayable() {
		return c.giveUp()
	}
	c.tell(0)
	return repeat
}

// outlives reports whether the pause that the server asks for may outlive its
// memory of the call's key, after a send that may have been done.
func (c *course) outlives(answer limit.Answer) bool {
	return c.doubt.happened() && c.call.Route.IdempotencyKeys && answer.RetryAfter >= keyLife
}

// giveUp hands back what the server said last. One case differs: a key of
// ours dies with the call, so after a send that may have been done, one that
// says "not done, ask again" would make the caller do it twice. Then it hears
// of the send in doubt.
func (c *course) giveUp() verdict {
	if c.header != nil && c.doubt.happened() {
		if c.last.resp != nil && c.last != c.doubt {
			c.last.resp.Body.Close()
		}
		return verdict{outcome: c.doubt}
	}
	return verdict{outcome: c.last}
}

// lost judges an attempt without an answer.
func (c *course) lost(err error) verdict {
	unsent := c.sending != nil && c.sending.shut()
	if c.req.Context().Err() != nil {
		return handBack(nil, err)
	}
	if _, ok := errors.AsType[*limit.WaitError](err); ok {
		if c.last.happened() {
			return c.giveUp()
		}
		return handBack(nil, err)
	}
	c.allowance.sent()
	c.last = outcome{err: err}
	unsent = unsent || neverDialed(err)
	if !unsent {
		c.doubt = c.last
	}
	if hopeless(err) {
		return c.giveUp()
	}
	return c.fault(unsent, limit.Answer{})
}

// fault repeats a send after a fault if that does no harm, fits, and the
// retry budget has room; otherwise it hands back the last outcome.
func (c *course) fault(harmless bool, answer limit.Answer) verdict {
	now := time.Now()
	wait := backoff(c.faults, answer)
	if c.faults >= c.Retries || c.call.NoWait || !c.fits(now, wait) || tooLong(c.req.Method, c.last.resp) {
		return c.giveUp()
	}
	if !harmless && !c.repeatable() || !c.allowance.takeAt(now) {
		return c.giveUp()
	}
	if c.last.resp != nil && !keep(c.last.resp) || !c.replayable() {
		return c.giveUp()
	}
	c.faults++
	c.tell(wait)
	if err := sleep(c.req.Context(), wait); err != nil {
		return handBack(nil, err)
	}
	return repeat
}

// replayable reports whether the body can be sent from its beginning. One
// that streams can while the attempt before has not touched it; that attempt
// may then no longer do so.
func (c *course) replayable() bool {
	return c.body == nil || c.body.rest == nil || c.sending.forgo()
}

// fits reports whether a send after wait would still start in time. Waiting
// for one that would not is waiting in vain.
func (c *course) fits(now time.Time, wait time.Duration) bool {
	at := now.Add(wait)
	if !c.call.Deadline.IsZero() && at.After(c.call.Deadline) {
		return false
	}
	end, ok := c.req.Context().Deadline()
	return wait <= longestWait && (!ok || at.Before(end))
}

// tell says that a send is about to be repeated.
func (c *course) tell(wait time.Duration) {
	e := event.Event{Kind: event.Retried, At: time.Now(), Call: c.call, Wait: wait, Err: c.last.err}
	if c.last.resp != nil {
		e.Status = c.last.resp.StatusCode
	}
	c.Sink.Emit(e)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// neverDialed reports whether err says that there was no connection to send
// on.
func neverDialed(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}
