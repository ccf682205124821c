package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/usage"
)

// over answers with a document about a range of the history.
func over[T any](h *handler, make func(string, time.Time, *usage.History, usage.Range) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		span, err := rangeOf(h.opts.Usage, now, r.URL)
		if err != nil {
			fail(w, http.StatusBadRequest, "BadWindow", err.Error())
			return
		}
		doc, err := make(h.opts.Snapshot().Account, now, h.opts.Usage, span)
		if err != nil {
			fail(w, http.StatusInternalServerError, "Bug", err.Error())
			return
		}
		reply(w, http.StatusOK, doc)
	}
}

// defaultWindow is the time shown to who names none.
const defaultWindow = 10 * time.Minute

// rangeOf reads ?window= and ?step=.
func rangeOf(h *usage.History, now time.Time, u *url.URL) (usage.Range, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return usage.Range{}, fmt.Errorf("the query is not well formed; write ?window=6h&step=1m")
	}
	window, err := asked(query, "window", defaultWindow)
	if err != nil {
		return usage.Range{}, err
	}
	step, err := asked(query, "step", stepFor(window))
	if err != nil {
		return usage.Range{}, err
	}
	return h.Range(now, window, step)
}

// stepFor is the step that a window is shown in unless another is asked for.
func stepFor(window time.Duration) time.Duration {
	switch {
	case window <= 2*time.Minute:
		return time.Second
	case window <= 10*time.Minute:
		return 5 * time.Second
	case window <= 6*time.Hour:
		return time.Minute
	case window <= 24*time.Hour:
		return 5 * time.Minute
	}
	return time.Hour
}

// asked reads one duration: 90s, 10m, 6h, 30d.
func asked(query url.Values, name string, otherwise time.Duration) (time.Duration, error) {
	text := query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		if err == nil && (n < 0 || n > 30) {
			err = strconv.ErrRange
		}
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s=%q is not a time; write 90s, 10m, 6h or 30d", name, text)
	}
	return d, nil
}
