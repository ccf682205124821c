package flyball

import (
	"context"
	"net/http"

	"github.com/flyballhq/flyball/cache"
	"github.com/flyballhq/flyball/limit"
)

// hitter is the cache's transport, where something is kept.
type hitter interface {
	Hit(req *http.Request, call *limit.Call, header http.Header, by cache.Dresser) *http.Response
}

// hitTiming is the Server-Timing of an answer that nobody was asked for.
var hitTiming = []string{serverTiming(&limit.Call{})}

// Cached answers a GET without a body out of the cache, as [Transport.RoundTrip]
// would with ctx, or returns nil when that takes more: nothing has happened
// then. It is for servers that can save work where no send is made. req is as a
// server reads it: without a host in its URL it is for the account. The answer
// is as by makes it, which is kept beside the entry, so that it is rarely
// asked; nil leaves the answer as it is. The header is put into header, which is
// empty, and stays so where there is no answer. Its values are to be replaced,
// not written to.
func (t *Transport) Cached(ctx context.Context, req *http.Request, header http.Header, by cache.Dresser) *http.Response {
	if t.hits == nil || req.URL == nil || req.URL.Host != "" && hostOf(req.URL) != t.host {
		return nil
	}
	call := t.call(ctx, req)
	resp := t.hits.Hit(req, call, header, by)
	if resp == nil {
		return nil
	}
	if said := resp.Header["Server-Timing"]; said != nil {
		resp.Header["Server-Timing"] = append(said, hitTiming...)
	} else {
		resp.Header["Server-Timing"] = hitTiming[:1:1]
	}
	t.done(ctx, call, resp, nil)
	return resp
}
