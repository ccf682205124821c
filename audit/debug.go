package audit

import (
	"strconv"
	"strings"
	"time"
)

// debug reads the debug log of Python's urllib3, which zenpy and requests use,
// where its lines begin with a time:
//
//	2026-11-23 10:00:00,123 DEBUG urllib3.connectionpool https://acme.zendesk.com:443 "GET /api/v2/users/me.json HTTP/1.1" 200 1234
func debug(line string, c *Call) error {
	at, err := debugTime(line)
	if err != nil {
		return errNoCall // the second line of a message, say
	}
	i := strings.Index(line, `://`)
	if i < 0 {
		return errNoCall
	}
	host, rest, _ := strings.Cut(line[i+3:], " ")
	w := words{rest: rest}
	request, _ := w.next()
	if !c.request(request) {
		return errNoCall
	}
	code, _ := w.next()
	var ok bool
	if c.Status, ok = status(code); !ok {
		return errStatus
	}
	length, _ := w.next()
	c.Bytes = size(length)
	c.At, c.Host, c.Blur = at, host, time.Second // when its answer came
	c.Client, c.Who = "urllib3", "urllib3"
	return nil
}

// debugTime reads the time as Python's logging writes it, in UTC for want of
// anything better.
func debugTime(line string) (time.Time, error) {
	const layout = "2006-01-02 15:04:05"
	if len(line) < len(layout) {
		return time.Time{}, errTime
	}
	at, err := time.Parse("2006-01-02 15:04:05", strings.Replace(line[:len(layout)], "T", " ", 1))
	if err != nil {
		return at, err
	}
	rest := line[len(layout):]
	if len(rest) > 4 && (rest[0] == ',' || rest[0] == '.') {
		if ms, err := strconv.Atoi(rest[1:4]); err == nil && ms >= 0 {
			at = at.Add(time.Duration(ms) * time.Millisecond)
		}
	}
	return at, nil
}
