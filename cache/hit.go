package cache

import (
	"net/http"

	"github.com/flyballhq/flyball/limit"
)

// Hit answers a GET out of the store, or returns nil where that takes a send
// or another's answer: nothing has happened then. It never waits for either.
// The answer is as by makes it, or as it is kept where that is nil. Its header
// is put into header, which is empty: the values are the entry's, to be
// replaced but not written to.
func (t *transport) Hit(req *http.Request, call *limit.Call, header http.Header, by Dresser) *http.Response {
	rule := t.rules[call.Route.Class]
	if rule == nil || req.Method != http.MethodGet || partial(req.Header) {
		return nil
	}
	q := question{req: req, call: call, rule: rule, ask: askOf(req.Header), header: header}
	if q.ask.noStore {
		return nil
	}
	q.key = keyOf(t.Account, req)
	if t.look(&q, call.Arrived) != fresh {
		return nil
	}
	if by != nil && !q.unchanged(q.entry) {
		if e := t.dressed(&q, by); e != nil {
			q.entry, by = e, nil
		}
	}
	resp := t.hit(&q, call.Arrived)
	if by != nil {
		by.Dress(resp)
	}
	return resp
}

// copied puts the fields of h into the map to, or into a copy of their own.
func copied(to, h http.Header) http.Header {
	if to == nil {
		return h.Clone()
	}
	for name, values := range h {
		to[name] = values[:len(values):len(values)]
	}
	return to
}
