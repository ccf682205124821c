package zendesk

import (
	"hash/maphash"
	"net/http"
	"strings"

	"github.com/flyballhq/flyball/limit"
)

// The shapes of calls that Zendesk limits apart within one route class.
const (
	Deep      = "deep"      // pages of offset pagination past the limit's depth
	Anonymous = "anonymous" // without a credential, where that matters
)

// Route classifies a request by its method, path, query and credential. It
// allocates nothing.
func (p *Provider) Route(req *http.Request) (r limit.Route) {
	path, query := "", ""
	if req.URL != nil {
		path, query = req.URL.Path, req.URL.RawQuery
	}
	e, object := tree().find(methodIndex(req.Method), path)
	r.Service, r.Class, r.Object = services[e.service], e.class, object
	r.Heavy, r.IdempotencyKeys, r.Job = e.heavy, e.keys, e.job
	r.Credential = credential(req.Header)

	primary := p.primary(e.service)
	r.Add(limit.Draw{Rule: primary, Cost: e.cost})
	draw(&r, e.rules)
	if e.deepAfter > 0 && page(query) > e.deepAfter {
		r.Shape = Deep
		draw(&r, e.deep)
	}
	if e.anonymous != nil && r.Credential == 0 {
		r.Shape = Anonymous
		draw(&r, e.anonymous)
	}
	return r
}

func draw(r *limit.Route, rules []*limit.Rule) {
	for _, rule := range rules {
		r.Add(limit.Draw{Rule: rule, Cost: 1})
	}
}

// hashSeed differs in each process, so a hash says nothing outside it.
var hashSeed = maphash.MakeSeed()

// credential hashes what the request authenticates with; 0 without one.
func credential(h http.Header) uint64 {
	values := h["Authorization"]
	if len(values) == 0 || values[0] == "" {
		return 0
	}
	return maphash.String(hashSeed, values[0]) | 1
}

// objectID returns a numeric id as it is and the hash of any other. Hashes
// have the highest bit set, which no Zendesk id has.
func objectID(segment string) uint64 {
	const most = 18 // digits that surely fit
	var n uint64
	for i := range len(segment) {
		if !isDigit(segment[i]) || i >= most {
			return maphash.String(hashSeed, segment) | 1<<63
		}
		n = n*10 + uint64(segment[i]-'0')
	}
	return n
}

// page returns the number of offset pagination in a raw query, 0 when there is
// none or it is no number. The query is scanned as it stands: an escaped
// "page" is nobody's spelling.
func page(query string) int {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if value, ok := strings.CutPrefix(pair, "page="); ok {
			return max(0, count(value))
		}
	}
	return 0
}
