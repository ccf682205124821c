package flyball

import (
	"net/http"

	"github.com/flyballhq/flyball/limit"
)

// hitter is the cache's transport, where something is kept.
type hitter interface {
	Hit(req *http.Request, call *limit.Call, header http.Header) *http.Response
}

// hitTiming is the Server-Timing of an answer that nobody was asked for.
var hitTiming = serverTiming(&limit.Call{})

// Cached answers a GET without a body out of the cache, as [Transport.RoundTrip]
// would, or returns nil when that takes more: nothing has happened then. It is
// for servers that can save work where no send is made: the answer's header is
// put into header, which is empty, and stays so where there is no answer.
func (t *Transport) Cached(req *http.Request, header http.Header) *http.Response {
	if t.hits == nil || req.URL == nil || hostOf(req.URL) != t.host {
		return nil
	}
	call := t.call(req)
	resp := t.hits.Hit(req, call, header)
	if resp == nil {
		return nil
	}
	resp.Header["Server-Timing"] = append(resp.Header["Server-Timing"], hitTiming)
	t.done(req, call, resp, nil)
	return resp
}
