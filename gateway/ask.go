package gateway

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/limit"
)

// The request headers that the gateway reads for itself; the account never
// sees them.
const (
	clientHeader = "Flyball-Client"
	classHeader  = "Flyball-Class"
	batchHeader  = "Flyball-Batch"
	preferHeader = "Prefer"
)

// An Ask is what a caller wants of the gateway: its request headers, read,
// and cut down to what it may have.
type Ask struct {
	Client   string        // who calls, never empty
	Class    limit.Class   // valid with HasClass
	HasClass bool          // the caller, its ceiling or what was decided for it said something about the class
	Weight   float64       // the client's turns beside other clients'; 0 is 1
	MaxWait  time.Duration // holds and retries together; 0 = never wait
	// Batch says that the call may be merged with others.
	Batch bool
	// Waits says that the caller's own "Prefer: wait" was honoured.
	Waits bool
	// Receipt, if set, is to be filled with what the call cost.
	Receipt *limit.Receipt
}

// Label tells a flyball.Transport what the caller asked for: what
// [Options].Label does unless it is set.
func Label(ctx context.Context, ask Ask) context.Context {
	return flyball.WithWishes(ctx, flyball.Wishes{
		Client: ask.Client, Weight: ask.Weight, Class: ask.Class, HasClass: ask.HasClass,
		MaxWait: ask.MaxWait, HasWait: true, Batch: ask.Batch, Stays: true, Receipt: ask.Receipt,
	})
}

// strip removes what only the gateway reads from a header on its way out;
// what is anybody's to read stays where nothing is to be touched.
func strip(h http.Header, untouched bool) {
	delete(h, clientHeader)
	delete(h, classHeader)
	delete(h, batchHeader)
	// The gateway has answered this one when it read the body.
	delete(h, "Expect")
	if prefs, ok := h[preferHeader]; ok && !untouched {
		if prefs = withoutWait(prefs); len(prefs) == 0 {
			delete(h, preferHeader)
		} else {
			h[preferHeader] = prefs
		}
	}
}

// askedClass reads the class that a caller asks for.
func askedClass(h http.Header) (limit.Class, bool) {
	switch strings.ToLower(strings.TrimSpace(h.Get(classHeader))) {
	case "interactive":
		return limit.Interactive, true
	case "normal":
		return limit.Normal, true
	case "bulk":
		return limit.Bulk, true
	}
	return limit.Normal, false
}

// preferredWait reads "wait=N" out of Prefer headers (RFC 7240): whole
// seconds, quoted or not, the first one that makes sense.
func preferredWait(values []string) (time.Duration, bool) {
	for _, value := range values {
		for _, pref := range splitOutsideQuotes(value) {
			if wait, ok := waitOf(pref); ok {
				return wait, true
			}
		}
	}
	return 0, false
}

// waitOf reads one preference. The bound keeps the product below from
// overflowing; nobody waits for a day.
func waitOf(pref string) (time.Duration, bool) {
	pref, _, _ = strings.Cut(pref, ";")
	name, value, ok := strings.Cut(pref, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(name), "wait") {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 32)
	if err != nil {
		return 0, false
	}
	return time.Duration(min(n, 86400)) * time.Second, true
}

// withoutWait returns the preferences that are not for the gateway. A comma
// inside a quoted string keeps its preference whole.
func withoutWait(values []string) []string {
	var kept []string
	for _, value := range values {
		var rest []string
		for _, pref := range splitOutsideQuotes(value) {
			name, _, _ := strings.Cut(pref, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				rest = append(rest, strings.TrimSpace(pref))
			}
		}
		if joined := strings.Join(rest, ", "); joined != "" {
			kept = append(kept, joined)
		}
	}
	return kept
}

func splitOutsideQuotes(s string) []string {
	quoted := false
	var parts []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
