package audit

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// caddyLine is one line of Caddy's JSON access log.
type caddyLine struct {
	Time    json.RawMessage `json:"ts"`
	Request *struct {
		Addr   string      `json:"remote_ip"`
		Method string      `json:"method"`
		Host   string      `json:"host"`
		URI    string      `json:"uri"`
		Header http.Header `json:"headers"`
	} `json:"request"`
	User     string          `json:"user_id"`
	Duration json.RawMessage `json:"duration"`
	Size     int64           `json:"size"`
	Status   int             `json:"status"`
	Header   http.Header     `json:"resp_headers"`
}

var errCaddy = errors.New(`no "request" with a "method" and a "uri", as Caddy writes it`)

// caddy reads Caddy's access log. Its time is when the call ended.
func caddy(line string, c *Call) error {
	var l caddyLine
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		return err
	}
	if l.Request == nil || !isMethod(l.Request.Method) {
		return errCaddy
	}
	at, ok := stamp(l.Time)
	if !ok {
		return errors.New(`no time in "ts"`)
	}
	c.Method, c.Took = l.Request.Method, elapsed(l.Duration)
	c.target(l.Request.URI)
	c.Host = l.Request.Host
	c.Status, c.Bytes, c.Header = l.Status, max(0, l.Size), canonical(l.Header)
	c.ETag = c.Header.Get("Etag")
	request := canonical(l.Request.Header)
	user, who := credential(request.Get("Authorization"))
	if request.Get("Authorization") == "REDACTED" {
		who = "" // Caddy hides it unless told otherwise: it tells nobody apart
	}
	if l.User != "" {
		user, who = l.User, l.User
	}
	agent := request.Get("User-Agent")
	c.Client = clientName(request.Get("Flyball-Client"), user, agent)
	if c.Who = who; who == "" {
		c.Who = l.Request.Addr + " " + agent
	}
	c.At = at.Add(-c.Took)
	return nil
}

// canonical spells the names as http.Header's methods look for them.
func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		out[http.CanonicalHeaderKey(name)] = values
	}
	return out
}

// stamp reads a time as JSON logs write it: seconds or milliseconds since 1970
// as a number, or text.
func stamp(raw json.RawMessage) (time.Time, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		for _, layout := range []string{time.RFC3339Nano, "2006/01/02 15:04:05", "2006/01/02 15:04:05.000", "2006-01-02T15:04:05.000Z0700", "02/Jan/2006:15:04:05 -0700"} {
			if at, err := time.Parse(layout, text); err == nil {
				return at, true
			}
		}
		raw = json.RawMessage(text)
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil || !(n > 1e8 && n < 1e14):
		return time.Time{}, false
	case n > 1e11: // milliseconds: in seconds it would be past the year 5000
		return time.UnixMilli(int64(n)).UTC(), true
	}
	return time.UnixMicro(int64(n * 1e6)).UTC(), true
}

// elapsed reads a duration in seconds, or text such as "1.2ms".
func elapsed(raw json.RawMessage) time.Duration {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if d, err := time.ParseDuration(text); err == nil {
			return min(max(0, d), longest)
		}
		return seconds(text)
	}
	return seconds(string(raw))
}
