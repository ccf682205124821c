package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flyballhq/flyball/admin"
)

// A topView draws the state of an account for a terminal of some width.
type topView struct {
	width   int
	color   bool
	keys    bool  // say which keys there are
	trouble error // why what is shown is old
}

const (
	topBuckets = 12 // shown at most
	topRows    = 8  // of who waits and of clients
)

func (v topView) draw(d *topDocs) string {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(v.cut(fmt.Sprintf(format, args...)) + "\n") }
	title := fmt.Sprintf("flyball top  %s  %s  %s", d.limits.Account, d.limits.At.Local().Format("15:04:05"), waitingText(d.calls.Waiting))
	if v.keys {
		title += "   q ends"
	}
	line("%s", v.paint(bold, title))
	if v.trouble != nil {
		line("%s", v.paint(red, "no answer now, trying again: "+plain(v.trouble.Error())))
	}
	f := d.usage.Sum
	line("last minute  calls %d, sends %d, 429s %d, given up %d, left %d, retries %d, held p50 %s, p99 %s",
		f.Calls, f.Sends, f.Refusals, f.GaveUp, f.Left, f.Retries, span(f.HoldP50), span(f.HoldP99))
	line("%s", v.pulse(d.usage.Total.Sends))
	for _, text := range v.saved(d.limits) {
		line("%s", text)
	}
	line("")
	for _, text := range v.buckets(d.limits.Buckets) {
		line("%s", text)
	}
	line("")
	for _, text := range v.lines(d.calls) {
		line("%s", text)
	}
	for _, text := range v.clients(d.shares) {
		line("%s", text)
	}
	return b.String()
}

func waitingText(n int) string {
	if n == 0 {
		return "nobody waits"
	}
	return counted(n, "call") + " held"
}

// pulse draws the sends of each second; the last second is under way.
func (v topView) pulse(sends []int64) string {
	top, all := 1, make([]int, 0, len(sends))
	for _, n := range sends[:max(0, len(sends)-1)] {
		all = append(all, int(n))
		top = max(top, int(n))
	}
	all = all[max(0, len(all)-max(v.width-26, 10)):] // the latest stay in sight
	return fmt.Sprintf("sends/s      %s up to %d", bars(all, top, len(all)), top)
}

// saved says what each cause saved, on as many lines as that takes.
func (v topView) saved(l admin.Limits) []string {
	if len(l.Saved) == 0 {
		return []string{"saved        nothing since the start"}
	}
	var lines []string
	text := "saved        "
	for i, s := range l.Saved {
		part := fmt.Sprintf("%s by %s (%.0f %%), ", counted(s.Sends, "send"), s.Cause, s.Percent)
		if i == len(l.Saved)-1 {
			part = strings.TrimSuffix(part, ", ") + " since the start"
		}
		if i > 0 && len(text)+len(strings.TrimRight(part, " ")) > v.width {
			lines = append(lines, strings.TrimRight(text, " "))
			text = strings.Repeat(" ", 13)
		}
		text += part
	}
	return append(lines, text)
}

// buckets draws those in use, what is held up and the fullest first.
func (v topView) buckets(all []admin.Bucket) []string {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b admin.Bucket) int {
		return cmp.Or(-cmp.Compare(a.Held, b.Held), -cmp.Compare(flag(a.PauseSeconds), flag(b.PauseSeconds)), -cmp.Compare(used(a), used(b)))
	})
	name := 6
	for _, b := range all[:min(len(all), topBuckets)] {
		name = max(name, min(utf8.RuneCountInString(bucketName(b)), 40))
	}
	width := min(max(v.width-name-66, 10), 40)
	lines := []string{fmt.Sprintf("%-*s  %-*s  %5s %11s %8s %6s %5s  %s", name, "BUCKET", width, fitted("USED █ OTHERS ▒", width), "", "LEFT", "RESETS", "OTHERS", "HELD", "")}
	for _, b := range all[:min(len(all), topBuckets)] {
		lines = append(lines, fmt.Sprintf("%-*s  %s  %5s %11s %8s %6d %5d  %s",
			name, fitted(bucketName(b), name), v.gauge(b, width), usedText(b), leftText(b), wait(b.ResetSeconds), b.Others, b.Held, v.remark(b)))
	}
	switch n := len(all) - topBuckets; {
	case len(all) == 0:
		lines = append(lines, "none is known yet: the first call's answer tells")
	case n > 0:
		lines = append(lines, fmt.Sprintf("and %d more: flyball limits", n))
	}
	return lines
}

func flag(pause *float64) int {
	if pause == nil {
		return 0
	}
	return 1
}

// used is the share of a bucket that is gone, 0 when not known.
func used(b admin.Bucket) float64 {
	if b.Limit == nil || b.Left == nil || *b.Limit <= 0 {
		return 0
	}
	return 1 - float64(*b.Left)/float64(*b.Limit)
}

func usedText(b admin.Bucket) string {
	if b.Limit == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*used(b))
}

func leftText(b admin.Bucket) string {
	if b.Limit == nil || b.Left == nil {
		return "-"
	}
	return strconv.Itoa(*b.Left) + "/" + strconv.Itoa(*b.Limit)
}

// gauge draws how much of a bucket is gone, and by whom.
func (v topView) gauge(b admin.Bucket, width int) string {
	if b.Limit == nil || *b.Limit <= 0 {
		return strings.Repeat(" ", width)
	}
	full := int(used(b)*float64(width) + 0.5)
	others := min(full, int(float64(b.Others)/float64(*b.Limit)*float64(width)+0.5))
	color := green
	switch share := used(b); {
	case share >= 0.9 || b.PauseSeconds != nil:
		color = red
	case share >= 0.8:
		color = yellow
	}
	return v.paint(color, strings.Repeat("█", full-others)) + v.paint(color, strings.Repeat("▒", others)) + v.paint(dim, strings.Repeat("·", width-full))
}

// remark is what else is to be known of a bucket.
func (v topView) remark(b admin.Bucket) string {
	switch {
	case b.PauseSeconds != nil:
		return v.paint(red, fmt.Sprintf("paused for %.0f s", *b.PauseSeconds))
	case b.Held > 0 && b.WaitSeconds >= 1:
		return fmt.Sprintf("wait about %.0f s", b.WaitSeconds)
	case b.Refusals > 0:
		return counted(b.Refusals, "429")
	}
	return ""
}

// lines says who waits for what, and what holds the first of them.
func (v topView) lines(calls admin.Calls) []string {
	if calls.Waiting == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("%-34s %-12s %6s %8s  %s", "WAITING FOR", "LANE", "CALLS", "LONGEST", "WHY")}
	for _, l := range calls.Lines[:min(len(calls.Lines), topRows)] {
		lines = append(lines, fmt.Sprintf("%-34s %-12s %6d %8s  %s", fitted(l.Bucket, 34), l.Class, l.Waiting, span(l.Longest), l.Reason))
	}
	return append(lines, "")
}

// clients says who used what share of the last ten minutes, and others.
func (v topView) clients(c admin.Clients) []string {
	lines := []string{fmt.Sprintf("%-34s %6s %6s %6s %6s %8s %8s %8s", "CLIENT, LAST 10 MIN", "SHARE", "CALLS", "SENDS", "429s", "GIVEN UP", "WAITING", "HELD p99")}
	for _, u := range c.Clients[:min(len(c.Clients), topRows)] {
		lines = append(lines, fmt.Sprintf("%-34s %4.0f %% %6d %6d %6d %8d %8d %8s",
			fitted(named(u.Client), 34), u.SharePercent, u.Calls, u.Sends, u.Refusals, u.GaveUp, u.Waiting, span(u.HoldP99)))
	}
	return append(lines, fmt.Sprintf("%-34s %4.0f %% %6s %6d %6s %8s", "others, estimated", c.Others.SharePercent, "", c.Others.Sends, "", ""))
}

func named(client string) string { return cmp.Or(client, "(no name)") }

func span(seconds float64) string { return fmt.Sprintf("%.1f s", seconds) }

// fitted cuts a name to a width. What a header or a client wrote does not move
// the cursor.
func fitted(s string, width int) string {
	runes := []rune(plain(s))
	if len(runes) <= width {
		return s
	}
	return string(runes[:width-1]) + "…"
}

// plain leaves out control characters.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// Colours, as a terminal is told them.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (v topView) paint(color, text string) string {
	if !v.color || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// cut keeps a line within the terminal's width; what colours it has no width.
func (v topView) cut(line string) string {
	var b strings.Builder
	width, inside := 0, false
	for _, r := range strings.TrimRight(line, " ") {
		switch {
		case r == '\x1b':
			inside = true
		case inside:
			inside = r != 'm'
		default:
			if width++; width > v.width {
				continue
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}
