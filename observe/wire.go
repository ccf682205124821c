package observe

import (
	"net/http"
	"time"

	"github.com/flyballhq/flyball/event"
	"github.com/flyballhq/flyball/limit"
)

// answered notes a real answer, and reports whether it was a limit's refusal.
func (o *Observer) answered(now time.Time, call *limit.Call, sent *passage, resp *http.Response, answer *limit.Answer) bool {
	var refusal *limit.Refusal
	if answer.Refused {
		// By its header alone: reading on would hold up what streams past.
		read := o.provider.Refusal(&call.Route, resp.StatusCode, resp.Header, nil)
		refusal = &read
	}
	blame, refused := o.ledger.heard(now, call, sent, answer, refusal)
	if refused {
		call.Refused++
	}
	o.mu.Lock()
	o.passed.Calls++
	o.passed.Sends++
	if refused {
		o.passed.Refused++
	}
	o.mu.Unlock()
	o.sink.Emit(event.Event{Kind: event.Sent, At: now, Call: call, Status: resp.StatusCode, Took: call.Upstream})
	if refused {
		o.sink.Emit(event.Event{Kind: event.Refused, At: now, Call: call, Bucket: blame.Bucket, Until: blame.Until, Status: resp.StatusCode, Text: refusal.Text})
	}
	if blame.Learned > 0 {
		o.sink.Emit(event.Event{Kind: event.Learned, At: now, Call: call, Bucket: blame.Bucket, Limit: blame.Learned})
	}
	o.sink.Emit(event.Event{Kind: event.Done, At: now, Call: call, Status: resp.StatusCode, Took: call.Upstream})
	return refused
}

// lost notes a send that was not answered.
func (o *Observer) lost(now time.Time, call *limit.Call, err error, left bool) {
	o.mu.Lock()
	o.passed.Calls++
	o.passed.Sends++
	if !left {
		o.passed.Failed++
	}
	o.mu.Unlock()
	o.sink.Emit(event.Event{Kind: event.Lost, At: now, Call: call, Took: call.Upstream, Err: err})
	o.sink.Emit(event.Event{Kind: event.Done, At: now, Call: call, Took: call.Upstream, Err: err, Left: left})
}

// fill fills a receipt with what the call really cost.
func fill(to *limit.Receipt, call *limit.Call, answer *limit.Answer) {
	*to = call.Receipt()
	if said := answer.Readings(); len(said) > 0 {
		to.Limit, to.Left, to.Stated = said[0].Limit, said[0].Remaining, true
	}
}
