package gateway

import (
	"net/http"
	"time"

	"github.com/flyballhq/flyball/event"
)

// statusLeft is nginx's word for a client that left before it was answered.
const statusLeft = 499

// served tells of a call at its end, whatever the end was.
func (g *Gateway) served(a *answer, c *call, r *http.Request) {
	if g.opts.OnServed == nil {
		return
	}
	s := event.Served{
		Request: r, Client: c.ask.Client, Status: a.status, Header: a.Header(), Bytes: a.sent,
		Began: c.began, Took: time.Since(c.began), Cut: c.cut, Refused: c.refused, Receipt: c.receipt,
	}
	if s.Status == 0 {
		s.Status, s.Cut = statusLeft, true
	}
	g.opts.OnServed(s)
}
