package flyball_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// A twin puts a fault where flyball meets the callers, the wire and the
// referee, to see whether the referee finds it. The zero value has none.
type twin struct {
	above func(flyball, wire http.RoundTripper) http.RoundTripper
	below func(wire http.RoundTripper) http.RoundTripper
	tells func(event.Event) (event.Event, bool)
	shows func(limit.Snapshot) limit.Snapshot
	setUp func(*flyball.Options)
}

// run makes the schedule's calls inside a bubble and returns its referee.
func (s *schedule) run(t *testing.T, fault twin) *referee {
	time.Sleep(time.Duration(rand.New(rand.NewPCG(s.seed, 1)).Int64N(int64(600 * time.Second)))) // bubbles start with a minute
	sim := simulator.New(s.server)
	r := newReferee(s, sim)
	transport, top := s.mount(t, r, sim.RoundTripper(), fault)
	r.snapshot = transport.Snapshot
	if fault.shows != nil {
		r.snapshot = func() limit.Snapshot { return fault.shows(transport.Snapshot()) }
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		r.watch(cancel)
	}()
	workers(s.workers, len(s.calls), func(i int) { r.make(ctx, top, &r.plans[i]) })
	time.Sleep(time.Minute) // what was cut off has reached the account
	close(r.stop)
	<-watched
	synctest.Wait()
	r.end()
	if err := transport.Close(); err != nil {
		r.fail(counts, "close: %v", err)
	}
	return r
}

// mount stacks the callers' client, flyball, the wire and the simulator.
func (s *schedule) mount(t *testing.T, r *referee, sim http.RoundTripper, fault twin) (*flyball.Transport, *http.Client) {
	o := s.options
	var base http.RoundTripper = wire{sim, r}
	o.Account, o.Base, o.OnEvent = "acme", base, r.hear
	if fault.below != nil {
		o.Base = fault.below(base)
	}
	if fault.tells != nil {
		o.OnEvent = func(e event.Event) {
			if e, ok := fault.tells(e); ok {
				r.hear(e)
			}
		}
	}
	if fault.setUp != nil {
		fault.setUp(&o)
	}
	transport, err := flyball.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var top http.RoundTripper = transport
	if fault.above != nil {
		top = fault.above(transport, base)
	}
	return transport, &http.Client{Transport: top}
}

const (
	idHeader   = "X-Plan" // which plan a request belongs to
	sendHeader = "X-Send" // which send an answer answers
)

// make makes one call and hands what comes of it to the referee.
func (r *referee) make(ctx context.Context, client *http.Client, p *planned) {
	time.Sleep(p.pause)
	p.begins()
	ctx, cancel := p.context(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, p.method, "https://acme.zendesk.com"+p.path, strings.NewReader(p.body))
	if err != nil {
		r.fail(answers, "call %d: %v", p.id, err)
		return
	}
	req.Header.Set("Authorization", "Bearer token")
	req.Header.Set(idHeader, strconv.Itoa(p.id))
	if p.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		r.failed(p, err)
		return
	}
	defer resp.Body.Close()
	sum := fnv.New64a()
	_, err = io.Copy(sum, resp.Body)
	r.answered(p, resp, sum.Sum64(), err)
}

// context is the caller's own.
func (p *planned) context(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	if p.timeout > 0 {
		cancel()
		ctx, cancel = context.WithTimeout(parent, p.timeout)
	}
	if p.leaves > 0 {
		stop := time.AfterFunc(p.leaves, cancel)
		end := cancel
		cancel = func() { stop.Stop(); end() }
	}
	if p.maxWait != 0 {
		ctx = flyball.WithMaxWait(ctx, p.maxWait)
	}
	if p.labelled {
		ctx = flyball.WithClass(ctx, p.class)
	}
	return flyball.WithWeight(flyball.WithClient(ctx, p.client), p.weight), cancel
}

// failed judges a call that ended with an error.
func (r *referee) failed(p *planned, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.returned++
	now := time.Now()
	var refusal *flyball.WaitError
	if errors.As(err, &refusal) && refusal.Err == nil {
		r.judgeRefusal(now, p, refusal)
	}
	r.judgeReturn(now, p)
	if last := p.last(); last != nil && last.settled() && !p.gone(now) {
		r.fail(answers, "call %d: answered with %d by send %d, and its caller got: %v", p.id, last.status, last.n, err)
	}
}

// judgeRefusal judges flyball's own refusal: it says why and until when.
func (r *referee) judgeRefusal(now time.Time, p *planned, e *flyball.WaitError) {
	if e.Reason == "" || e.Reason != limit.Closed && e.Bucket == (limit.Key{}) || e.RetryAt.Before(now) {
		r.fail(holds, "call %d: refused without bucket, reason or a time to come: %+v", p.id, *e)
	}
	if d, ok := p.deadline(); ok && now.After(d) {
		r.fail(bounds, "call %d: refused %s after its patience ended", p.id, now.Sub(d))
	}
}

// judgeReturn holds the caller's bounds: whoever leaves gets away at once, and
// patience is passed by nothing but a send that was under way when it ended.
func (r *referee) judgeReturn(now time.Time, p *planned) {
	if end, ok := p.leaving(); ok && now.After(end) {
		r.fail(bounds, "call %d: came back %s after its caller had left", p.id, now.Sub(end))
	}
	d, ok := p.deadline()
	if last := p.last(); ok && last != nil && last.answered.After(d) {
		d = last.answered
	}
	if ok && now.After(d) {
		r.fail(bounds, "call %d: came back %s after its patience ended", p.id, now.Sub(d))
	}
}

// answered judges an answer: it is one of the call's own sends', whole, and
// nobody had it before.
func (r *referee) answered(p *planned, resp *http.Response, sum uint64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.returned++
	r.judgeReturn(time.Now(), p)
	n, bad := strconv.Atoi(resp.Header.Get(sendHeader))
	if bad != nil || n < 0 || n >= len(r.sends) {
		r.fail(answers, "call %d: answered by no send", p.id)
		return
	}
	s := r.sends[n]
	switch {
	case s.by != p:
		r.fail(answers, "call %d: got the answer to send %d of call %d", p.id, n, s.by.id)
	case s.delivered:
		r.fail(answers, "call %d: got the answer to send %d again", p.id, n)
	case s.status != resp.StatusCode:
		r.fail(answers, "call %d: send %d was answered with %d, its caller got %d", p.id, n, s.status, resp.StatusCode)
	case err == nil && !s.body.whole:
		r.fail(answers, "call %d: the body of send %d broke, and its caller took it for whole", p.id, n)
	case err == nil && sum != s.body.sum.Sum64():
		r.fail(answers, "call %d: got another body than send %d was answered with", p.id, n)
	case p.last() != s && p.last().settled():
		r.fail(answers, "call %d: got the answer to send %d, and send %d was answered for good", p.id, n, p.last().n)
	}
	s.delivered = true
}

func (r *referee) String() string {
	return fmt.Sprintf("%s: %d calls, %d sends, %d refused, %d steps; %d sends judged by limits known, %d windows run dry, %d waited through",
		r.temper, len(r.plans), len(r.sends), r.refused, r.steps, r.judged, r.dry, r.waitedThrough)
}
