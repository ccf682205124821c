package zendesk

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/flyballhq/flyball/limit"
)

var _ limit.Batcher = (*Provider)(nil)

// mostIDs is how many ids one bulk call takes: 101 are refused with 400
// TooManyValues [TK][US].
const mostIDs = 100

// readForms are the reads that have a show_many (section 5.1 of the facts).
var readForms = []limit.ReadForm{
	{Class: "GET /api/v2/tickets/{id}", Path: "/api/v2/tickets/show_many", Most: mostIDs, One: "ticket", Many: "tickets"},
	{Class: "GET /api/v2/users/{id}", Path: "/api/v2/users/show_many", Most: mostIDs, One: "user", Many: "users"},
	{Class: "GET /api/v2/organizations/{id}", Path: "/api/v2/organizations/show_many", Most: mostIDs, One: "organization", Many: "organizations"},
}

// Singles lists the classes of the calls that have a form for many.
func (p *Provider) Singles() []string {
	classes := make([]string, 0, len(readForms))
	for i := range readForms {
		classes = append(classes, readForms[i].Class)
	}
	for i := range writeForms {
		classes = append(classes, writeForms[i].Class)
	}
	return classes
}

// SingleRead returns the show_many of a read of one object. A call with a
// query has none: what a side-load adds beside a hundred objects cannot be
// told apart again, and what an unknown parameter does is unknown.
func (p *Provider) SingleRead(req *http.Request) (*limit.ReadForm, uint64) {
	u := req.URL
	if req.Method != http.MethodGet && req.Method != "" || u == nil || u.RawQuery != "" || u.RawPath != "" || u.Opaque != "" || u.User != nil {
		return nil, 0
	}
	for i := range readForms {
		form := &readForms[i]
		family := strings.TrimSuffix(form.Path, "show_many")
		if rest, ok := strings.CutPrefix(u.Path, family); ok {
			id, ok := plainID(strings.TrimSuffix(rest, ".json"))
			if !ok {
				return nil, 0
			}
			return form, id
		}
	}
	return nil, 0
}

// plainID reads an id as Zendesk writes it. "007" and "+7" are left to
// Zendesk: their answer may differ from that to 7.
func plainID(text string) (uint64, bool) {
	if text == "" || text[0] == '0' || len(text) > 18 {
		return 0, false
	}
	for i := range len(text) {
		if !isDigit(text[i]) {
			return 0, false
		}
	}
	id, err := strconv.ParseUint(text, 10, 64)
	return id, err == nil
}
