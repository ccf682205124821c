package cache

import (
	"net/http"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// Hit answers a GET out of the store, or returns nil where that takes a send
// or another's answer: nothing has happened then. It never waits for either.
// The answer's header is put into header, which is empty and becomes its own.
func (t *transport) Hit(req *http.Request, call *limit.Call, header http.Header) *http.Response {
	rule := t.rules[call.Route.Class]
	if rule == nil || req.Method != http.MethodGet || partial(req.Header) {
		return nil
	}
	q := question{req: req, call: call, rule: rule, ask: askOf(req.Header), header: header}
	if q.ask.noStore {
		return nil
	}
	q.key = keyOf(t.Account, req)
	now := time.Now()
	if t.look(&q, now) != fresh {
		return nil
	}
	return t.hit(&q, now)
}

// copied returns a copy of h in the map to, or in one of its own.
func copied(to, h http.Header) http.Header {
	if to == nil {
		return h.Clone()
	}
	n := 0
	for _, values := range h {
		n += len(values)
	}
	all := make([]string, 0, n)
	for name, values := range h {
		all = append(all, values...)
		to[name] = all[len(all)-len(values) : len(all) : len(all)]
	}
	return to
}
