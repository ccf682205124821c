package desk

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// call is one request while it is being answered.
type call struct {
	*Desk
	Request
	now  time.Time
	path string // without .json
	args [maxArgs]string
	q    url.Values
}

func (c *call) route() *endpoint {
	c.path = plainPath(c.Path)
	return find(c.Method, c.Path, &c.args)
}

func (c *call) credentials() bool { return c.Header.Get("Authorization") != "" }

// query returns the query's parameters; a malformed pair is left out, as Rails
// leaves it out.
func (c *call) query() url.Values {
	if c.q == nil {
		c.q, _ = url.ParseQuery(c.RawQuery)
	}
	return c.q
}

func (c *call) param(name string) string {
	if c.RawQuery == "" {
		return ""
	}
	return c.query().Get(name)
}

// id reads the path's n-th placeholder as a record's id.
func (c *call) id(n int) (uint64, *answer) {
	if id, err := strconv.ParseUint(c.args[n], 10, 64); err == nil {
		return id, nil
	}
	if c.args[n] != "" && strings.Trim(c.args[n], "0123456789") == "" {
		return 0, notFound() // a number too large for any record
	}
	return 0, invalidAttribute("id", "must be an integer")
}

// ids reads a comma-separated parameter of ids, at most 100.
func (c *call) ids(name string) ([]uint64, *answer) {
	text := c.param(name)
	if text == "" {
		return nil, fail(http.StatusBadRequest, "BadRequest", "Parameter "+name+" is required")
	}
	parts := strings.Split(text, ",")
	if len(parts) > maxBulk {
		return nil, tooManyValues()
	}
	ids := make([]uint64, 0, len(parts))
	for _, part := range parts {
		id, err := strconv.ParseUint(strings.TrimSpace(part), 10, 64)
		if err != nil {
			return nil, invalidAttribute(name, "must be a list of integers")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// body decodes the request's JSON into v.
func (c *call) body(v any) *answer {
	if len(bytes.TrimSpace(c.Body)) == 0 {
		return fail(http.StatusBadRequest, "BadRequest", "The request body is empty")
	}
	text := c.Body
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte("\uFFFD")) // what is kept as it came must be sent back as JSON
	}
	if err := json.Unmarshal(text, v); err != nil {
		return badJSON(err)
	}
	return nil
}

// absolute makes a link to the path, which begins with a slash.
func (c *call) absolute(path string) string { return c.Origin + path }

// self links to the call's own path with other parameters, sorted and escaped.
func (c *call) self(q url.Values) string { return c.Origin + c.path + "?" + q.Encode() }
