package simulator

import (
	"net/http"
	"net/url"

	"github.com/flyballhq/flyball/simulator/desk"
)

// call is one request while the account deals with it.
type call struct {
	n       uint64 // its place in the order of arrival
	method  string // HEAD as GET
	head    bool
	path    string // escaped, as sent
	query   string
	header  http.Header
	body    []byte
	origin  string
	user    uint64 // of its credential; 0 is anonymous
	route   route
	service *service
	match   desk.Match
	values  url.Values
}

func (s *Simulator) newCall(r *http.Request, origin string) *call {
	c := &call{
		method: r.Method, path: r.URL.EscapedPath(), query: r.URL.RawQuery,
		header: r.Header, origin: origin,
	}
	if c.method == "" {
		c.method = http.MethodGet
	}
	if c.head = c.method == http.MethodHead; c.head {
		c.method = http.MethodGet
	}
	if s.o.Origin != "" {
		c.origin = s.o.Origin
	}
	if credential := c.header.Get("Authorization"); credential != "" {
		c.user = hashText(credential)
	}
	c.route = splitPath(c.path)
	c.service = serviceOf(c.method, &c.route)
	c.match = desk.Find(c.method, c.path)
	return c
}

// param is one parameter of the query.
func (c *call) param(name string) string {
	if c.values == nil {
		c.values, _ = url.ParseQuery(c.query)
	}
	return c.values.Get(name)
}

// hashText is a number for a text that is the same in every run, and not 0.
func hashText(text string) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return mix(h) | 1
}
