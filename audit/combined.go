package audit

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"time"
)

var (
	errTime    = errors.New("no time such as [10/Oct/2026:13:55:36 +0000]")
	errRequest = errors.New(`no request such as "GET /api/v2/tickets.json HTTP/1.1"`)
	errStatus  = errors.New("no status such as 200 after the request")
)

// extras are the names under which nginx and Apache logs add what the combined
// format leaves out, as in rt=$request_time. Each is written NAME=VALUE.
var extras = map[string]func(c *Call, value string){
	"rt":           func(c *Call, v string) { c.Took = seconds(v) },
	"request_time": func(c *Call, v string) { c.Took = seconds(v) },
	"urt":          func(c *Call, v string) { upstreamTime(c, v) },
	"msec":         func(c *Call, v string) { c.ended(v) },

	"upstream_response_time": func(c *Call, v string) { upstreamTime(c, v) },

	"etag":        func(c *Call, v string) { c.ETag = strings.TrimPrefix(v, "-") },
	"retry_after": func(c *Call, v string) { c.addHeader("Retry-After", v) },
	"limit":       func(c *Call, v string) { c.addHeader("X-Rate-Limit", v) },
	"left":        func(c *Call, v string) { c.addHeader("X-Rate-Limit-Remaining", v) },
	"client":      func(c *Call, v string) { c.named(v) },
	"host":        func(c *Call, v string) { c.Host = strings.TrimPrefix(v, "-") },
}

func upstreamTime(c *Call, value string) {
	if c.Took == 0 {
		c.Took = seconds(value)
	}
}

// ended takes $msec, the time of the end with its fractions.
func (c *Call) ended(value string) {
	if at, ok := stamp(json.RawMessage(value)); ok {
		c.At = at
	}
}

// named takes a client's name that a log gives outright.
func (c *Call) named(name string) {
	if name = printable(name); name != "" && name != "-" {
		c.Client, c.Who = name, name
	}
}

// combined reads the access logs of nginx and Apache, common or combined, with
// fields of extras or a bare $request_time behind. Their time is when the call
// ended, and has no fractions unless msec gives them.
func combined(line string, c *Call) error {
	w := words{rest: line}
	addr, _ := w.next()
	ident, _ := w.next()
	if _, err := netip.ParseAddr(ident); err == nil { // Apache's vhost_combined: the site's name comes first
		c.Host, addr = addr, ident
		_, _ = w.next()
	}
	user, at, err := userAndTime(&w)
	if err != nil {
		return err
	}
	request, _ := w.next()
	isCall := c.request(request)
	code, _ := w.next()
	switch {
	case !isCall && (code == "400" || code == "408"):
		return errNoCall // a connection on which no request came, or another protocol
	case !isCall:
		return errRequest
	}
	var ok bool
	if c.Status, ok = status(code); !ok {
		return errStatus
	}
	length, _ := w.next()
	c.Bytes = size(length)
	agent := readExtras(&w, c)
	if c.Client == "" {
		c.Client = clientName("", user, agent)
		if c.Who = user; user == "-" || user == "" {
			c.Who = addr + " " + agent
		}
	}
	if !c.At.IsZero() {
		c.At = c.At.Add(-c.Took)
		return nil
	}
	// Fractions taken from a time without them would put calls of one second
	// in a wrong order: the file's is better.
	c.At, c.Blur = at.Add(-c.Took.Truncate(time.Second)), time.Second
	return nil
}

// userAndTime reads the user, which may hold blanks, and the time.
func userAndTime(w *words) (user string, at time.Time, err error) {
	open := strings.IndexByte(w.rest, '[')
	if open < 0 {
		return "", at, errTime
	}
	user = strings.Trim(w.rest[:open], ` "`)
	w.rest = w.rest[open:]
	stamp, _ := w.next()
	at, err = time.Parse("02/Jan/2006:15:04:05 -0700", stamp)
	if err != nil {
		return "", at, errTime
	}
	return user, at, nil
}

// readExtras reads what follows the length, and returns the User-Agent: of the
// combined format it is the second quoted word.
func readExtras(w *words, c *Call) (agent string) {
	quotes := 0
	for {
		rest := strings.TrimLeft(w.rest, " \t")
		isQuoted := strings.HasPrefix(rest, `"`)
		word, ok := w.next()
		if !ok {
			return agent
		}
		if isQuoted && !strings.Contains(word, "=") || isQuoted && quotes < 2 {
			if quotes++; quotes == 2 {
				agent = word
			}
			continue
		}
		if name, value, ok := strings.Cut(word, "="); ok {
			if take := extras[name]; take != nil {
				take(c, value)
			}
			continue
		}
		if strings.Contains(word, ".") && c.Took == 0 {
			c.Took = seconds(word) // a bare $request_time has three decimals
		}
	}
}
