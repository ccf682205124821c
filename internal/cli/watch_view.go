package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/flyballhq/flyball/watch"
)

// A watchView shows what a watch learns: a line a minute, and on a terminal the
// last hour's curve below.
type watchView struct {
	s      Streams
	json   bool
	live   bool
	clock  string // how a minute's beginning is written
	window time.Duration
	host   string
	drawn  int // lines of the curve on the terminal
	recent []watch.Minute
}

func newWatchView(s Streams, asJSON bool, window time.Duration, host string) *watchView {
	v := &watchView{s: s, json: asJSON, live: isTerminal(s.Out) && !asJSON, clock: "15:04", window: window, host: host}
	if window%time.Minute != 0 {
		v.clock = "15:04:05.0"
	}
	return v
}

// object prints one JSON object on a line.
func (v *watchView) object(kind string, value any) {
	text, err := json.Marshal(map[string]any{"kind": kind, kind: value})
	if err != nil {
		v.trouble(err.Error())
		return
	}
	fmt.Fprintf(v.s.Out, "%s\n", text)
}

func (v *watchView) begin(source, role string) {
	if v.json {
		return
	}
	fmt.Fprintf(v.s.Out, "watching %s with %s, at most %d calls a %s; Ctrl-C ends it with a report\n", v.host, source, watch.MostCalls, v.windowName())
	if role != "admin" && role != "" {
		fmt.Fprintf(v.s.Err, "flyball: that is the credential of an %s: only an admin's reads the lists of tokens\n", role)
	}
}

func (v *watchView) windowName() string {
	if v.window == time.Minute {
		return "minute"
	}
	return "window of " + short(v.window)
}

func (v *watchView) at(t time.Time) string { return t.Local().Format(v.clock) }

// minute is one line.
func (v *watchView) minute(m watch.Minute) {
	v.recent = append(v.recent, m)
	v.recent = v.recent[max(0, len(v.recent)-60):]
	if v.json {
		v.object("minute", m)
		return
	}
	v.erase()
	mark := ""
	if m.Spike {
		mark = fmt.Sprintf("  SPIKE: others use %d where %d is usual", m.Others(), m.Usual)
	}
	if m.Refused > 0 {
		mark += "  429: a call of ours was refused"
	}
	fmt.Fprintf(v.s.Out, "%s  %s  %4d of %d  %3d %%  (%d to %d, %d ours)%s\n", v.at(m.Start), meterBar(m.Use, m.Limit), m.Use, m.Limit, m.Share(), m.Low, m.High, m.Ours, mark)
}

func meterBar(use, limit int) string {
	const width = 20
	n := 0
	if limit > 0 {
		n = min(width, (use*width+limit-1)/limit)
	}
	return strings.Repeat("█", n) + strings.Repeat("·", width-n)
}

// spike says who was there, once that is known.
func (v *watchView) spike(s watch.Spike, suspects, always []watch.Suspect) {
	if v.json {
		v.object("spike", struct {
			watch.Spike
			Suspects []watch.Suspect `json:"suspects"`
			Always   []watch.Suspect `json:"always,omitempty"`
		}{s, suspects, always})
		return
	}
	v.erase()
	fmt.Fprintf(v.s.Out, "%s  spike: up to %d by others where %d is usual, %s; %s\n", v.at(s.Start), s.Peak, s.Usual, v.long(s), spikeNames(s, suspects, always))
}

func (v *watchView) long(s watch.Spike) string {
	if n := s.Last - s.First + 1; n > 1 {
		return fmt.Sprintf("%d minutes", n)
	}
	return "1 minute"
}

func spikeNames(s watch.Spike, suspects, always []watch.Suspect) string {
	switch {
	case !s.Looked:
		return "the tokens could not be read in time"
	case len(suspects) > 0:
		return "last used in it: " + names(suspects)
	case len(always) > 0:
		return "no token was last used in it but those that always are: " + names(always)
	}
	return "no listed token was last used in it"
}

func names(list []watch.Suspect) string {
	texts := make([]string, 0, len(list))
	for _, s := range list {
		texts = append(texts, fmt.Sprintf("%q (%s)", s.Name, s.Key))
	}
	return strings.Join(texts, ", ")
}

// refused says that a call of ours met a 429, so that it cannot be missed.
func (v *watchView) refused(r watch.Refusal) {
	v.erase()
	if v.json {
		v.object("refusal", r)
	}
	bell := ""
	if v.live {
		bell = "\a"
	}
	fmt.Fprintf(v.s.Err, "%sflyball: !!! 429: %s refused a call of ours at %s (%s); nothing is sent until %s\n",
		bell, v.host, r.At.Local().Format(time.TimeOnly), firstOf(r.Text, "it did not say why"), r.Until.Local().Format(time.TimeOnly))
}

func (v *watchView) trouble(text string) {
	v.erase()
	fmt.Fprintf(v.s.Err, "flyball: %s\n", strings.TrimPrefix(text, "flyball: "))
}

// pulse draws the last hour and the minute under way.
func (v *watchView) pulse(n watch.Now) {
	if !v.live {
		return
	}
	v.erase()
	counts, top := []int{}, 1
	for _, m := range v.recent {
		counts = append(counts, m.Use)
		top = max(top, m.Use)
	}
	fmt.Fprintf(v.s.Out, "  %s  last hour, up to %d\n  now: %d of %d at the last look\n", bars(counts, top, len(counts)), top, n.Used, n.Limit)
	v.drawn = 2
}

func (v *watchView) erase() {
	if v.drawn > 0 {
		fmt.Fprintf(v.s.Out, "\x1b[%dA\x1b[J", v.drawn)
		v.drawn = 0
	}
}
