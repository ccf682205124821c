package gateway

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tidy prepares the account's answer for the client. Everything passes as it
// came but for what clients are known to stumble over, or altogether.
func (g *Gateway) tidy(c *call, resp *http.Response) {
	if g.opts.Untouched {
		return
	}
	tidyRetryAfter(resp)
	if g.hidesWait(resp.StatusCode) {
		resp.Header.Del("Retry-After")
	}
	if resp.StatusCode == http.StatusTooManyRequests && g.opts.GiveUp != resp.StatusCode {
		resp.StatusCode = g.opts.GiveUp
		resp.Status = ""
	}
	c.ask.acknowledge(resp.Header)
}

// hidesWait reports whether a refusal of this status goes without Retry-After.
// node-zendesk takes any answer that has one for data, whatever its status.
func (g *Gateway) hidesWait(status int) bool {
	return g.opts.GiveUp == http.StatusServiceUnavailable && (status == http.StatusTooManyRequests || status >= 500)
}

// tidyRetryAfter makes Retry-After an integer of at least 1: clients crash on
// dates and decimals, and loop on 0. A 429 always has one. When the account
// named no time, 1 is honest: a call that comes back too soon is held here,
// and costs nothing there.
func tidyRetryAfter(resp *http.Response) {
	values, ok := resp.Header["Retry-After"]
	if !ok && resp.StatusCode != http.StatusTooManyRequests {
		return
	}
	text := ""
	if len(values) > 0 {
		text = strings.TrimSpace(values[0])
	}
	resp.Header["Retry-After"] = []string{strconv.Itoa(wholeSeconds(waitIn(text, resp.Header.Get("Date"))))}
}

// waitIn reads a Retry-After in any form: 0 when it says nothing.
func waitIn(text, date string) time.Duration {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		// Compared before the product, which could overflow; a NaN is below.
		if seconds >= maxRetryAfter.Seconds() {
			return maxRetryAfter
		}
		if seconds > 0 {
			return time.Duration(seconds * float64(time.Second))
		}
		return 0
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(date)
	if err != nil {
		now = time.Now()
	}
	return at.Sub(now)
}
