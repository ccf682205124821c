package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/flyballhq/flyball/watch"
)

// report is what a watch ends with.
func (v *watchView) report(r watch.Report) {
	v.erase()
	if v.json {
		v.object("report", r)
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, watched since %s: %d of %d minutes known, %d calls of our own\n", r.Account, r.Since.Local().Format("2006-01-02 15:04"), r.Watched, max(r.Passed, r.Watched), r.Calls)
	if r.Refused > 0 {
		fmt.Fprintf(&b, "\n!!! %d of our own calls met a 429. The last, at %s: %s\n", r.Refused, r.Refusals[len(r.Refusals)-1].At.Local().Format(time.DateTime), firstOf(r.Refusals[len(r.Refusals)-1].Text, "no reason given"))
	}
	if r.Watched > 0 {
		fmt.Fprintf(&b, "\nuse of the account: median %d of %d a %s, most %d at %s\n", r.Median, r.Limit, v.windowName(), r.Peak, r.PeakAt.Local().Format("2006-01-02 "+v.clock))
		fmt.Fprintf(&b, "minutes near the limit: %d at 80-89 %%, %d at 90-99 %%, %d at 100 %%; %d might be one step higher\n", r.Near.Approaching, r.Near.Near, r.Near.Full, r.Near.Unsure)
	}
	v.spikes(&b, r)
	fmt.Fprint(&b, "\nwhat this cannot say:\n")
	for _, line := range r.Blind {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	fmt.Fprint(v.s.Out, b.String())
}

func (v *watchView) spikes(b *strings.Builder, r watch.Report) {
	if r.Spikes == 0 {
		fmt.Fprint(b, "\nno spikes\n")
		return
	}
	fmt.Fprintf(b, "\n%d spikes", r.Spikes)
	if len(r.Repeats) == 0 {
		fmt.Fprint(b, "; none repeats so far (three at the same interval are needed)")
	}
	fmt.Fprintln(b)
	for _, rep := range r.Repeats {
		v.repeat(b, rep)
	}
	if len(r.Single) > 0 {
		texts := []string{}
		for _, s := range r.Single {
			texts = append(texts, fmt.Sprintf("%s (%d)", s.Start.Local().Format("Jan 2 "+v.clock), s.Peak))
		}
		fmt.Fprintf(b, "that do not repeat: %s\n", strings.Join(texts, ", "))
	}
}

func (v *watchView) repeat(b *strings.Builder, r watch.Repeat) {
	fmt.Fprintf(b, "\n%s: %d of %d came, about %d calls each; %s\n", v.rhythm(r), r.Hits, r.Due, r.Peak, sureness(r.Chance))
	fmt.Fprintf(b, "  next about %s\n", r.Next.Local().Format("2006-01-02 "+v.clock))
	for _, s := range r.Suspects {
		fmt.Fprintf(b, "  last used in %d of %d: %q (%s); at other times in %d of %d looks%s\n", s.In, r.Looked, s.Name, s.Key, s.Quiet, s.Looks, untold(s))
	}
	if len(r.Suspects) == 0 {
		fmt.Fprintf(b, "  no token stands out (%d of them looked at)\n", r.Looked)
	}
	if len(r.Always) > 0 {
		fmt.Fprintf(b, "  used at any time, so neither for nor against: %s\n", names(r.Always))
	}
}

func untold(s watch.Suspect) string {
	if s.Untold == 0 {
		return ""
	}
	return fmt.Sprintf("; in %d more it was used again before the look", s.Untold)
}

// rhythm is when spikes come, in words.
func (v *watchView) rhythm(r watch.Repeat) string {
	last := r.Last.Local()
	if v.window != time.Minute {
		return fmt.Sprintf("every %d windows, %s", r.Every, short(r.Period))
	}
	switch {
	case r.Every == 60:
		return "every hour at :" + last.Format("04")
	case r.Every < 60 || r.Every < 24*60:
		return fmt.Sprintf("every %s, last at %s", short(r.Period), last.Format("15:04"))
	case r.Every == 24*60:
		return "every day at " + last.Format("15:04")
	}
	return "every week on " + last.Format("Monday at 15:04")
}

// sureness puts a chance in words.
func sureness(chance float64) string {
	switch {
	case chance < 1e-6:
		return "by chance: less than one in a million"
	case chance <= 0.001:
		return fmt.Sprintf("almost certain (by chance at most 1 in %s)", thousands(int(1/chance)))
	case chance <= 0.01:
		return fmt.Sprintf("very likely (by chance at most 1 in %s)", thousands(int(1/chance)))
	}
	return fmt.Sprintf("likely (by chance at most 1 in %s); wait for more", thousands(int(1/chance)))
}
