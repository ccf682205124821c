package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/limit"
	"github.com/flyballhq/flyball/simulator"
)

// A demoView shows both sides of the demo beside each other: live on a
// terminal, else in a line every few seconds.
type demoView struct {
	s        Streams
	live     bool
	began    time.Time
	duration time.Duration
	sides    [2]*side
}

func newDemoView(s Streams, duration time.Duration, naive, governed *side) *demoView {
	return &demoView{s: s, live: isTerminal(s.Out), duration: duration, began: time.Now(), sides: [2]*side{naive, governed}}
}

// watch shows how it goes until ended is closed.
func (v *demoView) watch(ended <-chan struct{}) {
	every := 4 * time.Second
	if v.live {
		every = 500 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	drawn := 0
	for {
		select {
		case <-ended:
			v.erase(drawn)
			return
		case <-tick.C:
		}
		if v.live {
			text := v.table() + "\n" + v.pulse()
			v.erase(drawn)
			fmt.Fprint(v.s.Out, text)
			drawn = strings.Count(text, "\n")
		} else {
			fmt.Fprintln(v.s.Err, v.line())
		}
	}
}

// erase takes back the last lines on the terminal.
func (v *demoView) erase(lines int) {
	if v.live && lines > 0 {
		fmt.Fprintf(v.s.Out, "\x1b[%dA\x1b[J", lines)
	}
}

// line is how it stands, in one line.
func (v *demoView) line() string {
	naive, governed := v.figures(0), v.figures(1)
	return fmt.Sprintf("%3.0f s  429s seen: %d naive, %d through flyball; others refused: %s, %s; slowest call: %s, %s; records: %s, %s",
		time.Since(v.began).Seconds(), naive.Saw429, governed.Saw429, naive.othersRefused(), governed.othersRefused(),
		seconds(naive.Slowest), seconds(governed.Slowest), thousands(naive.Records), thousands(governed.Records))
}

// figures are what is known of one side: by its callers, by the account, and
// by flyball.
type figures struct {
	tally
	began    time.Time
	ledger   simulator.Ledger
	harm     float64 // others' calls refused, as flyball estimates
	saved    []admin.Saving
	governed bool
}

func (v *demoView) figures(i int) figures {
	side := v.sides[i]
	harm, governed := side.harm()
	return figures{side.score.now(), v.began, side.account.Ledger(), harm, side.saved(), governed}
}

// table is Markdown that also reads well on a terminal.
func (v *demoView) table() string {
	naive, governed := v.figures(0), v.figures(1)
	rows := [][3]string{
		{v.elapsed(), "naive", "through flyball"},
		{"429s that callers saw", thousands(naive.Saw429), thousands(governed.Saw429)},
		{"others' calls refused", naive.othersRefused(), governed.othersRefused()},
		{"  by flyball's own estimate", naive.estimate(), governed.estimate()},
		{"slowest call", seconds(naive.Slowest), seconds(governed.Slowest)},
		{"slowest click of a person", seconds(naive.Click), seconds(governed.Click)},
		{"limit used by us + others", naive.used(), governed.used()},
		{"records done", thousands(naive.Records), thousands(governed.Records)},
		{"429s that the account sent us", thousands(naive.ledger.Refused()), thousands(governed.ledger.Refused())},
	}
	rows = append(rows, savedRows(governed)...)
	if naive.Failed+governed.Failed > 0 {
		rows = append(rows, [3]string{"calls that failed otherwise", thousands(naive.Failed), thousands(governed.Failed)})
	}
	return markdown(rows)
}

func (v *demoView) elapsed() string {
	passed := time.Since(v.began)
	if passed < v.duration {
		return fmt.Sprintf("%.0f s of %s", passed.Seconds(), short(v.duration))
	}
	return short(v.duration) + ", " + strconv.Itoa(demoWorkers) + " workers"
}

// pulse draws the calls answered in each second.
func (v *demoView) pulse() string {
	naive, governed := v.sides[0].score.now().Pulse, v.sides[1].score.now().Pulse
	top := 1
	for _, n := range append(naive, governed...) {
		top = max(top, n)
	}
	seconds := min(int(time.Since(v.began)/time.Second), int(v.duration/time.Second))
	return fmt.Sprintf("calls answered in each second (up to %d):\n  naive    %s\n  flyball  %s\n", top, bars(naive, top, seconds), bars(governed, top, seconds))
}

// bars draws the latest of n figures as blocks, as many as fit on a line.
func bars(counts []int, top, n int) string {
	const width = 66
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	var b strings.Builder
	for i := max(0, n-width); i < n; i++ {
		count := 0
		if i < len(counts) {
			count = counts[i]
		}
		step := (count*(len(blocks)-1) + top - 1) / top
		b.WriteRune(blocks[step])
	}
	return b.String()
}

func (f figures) othersRefused() string {
	return fmt.Sprintf("%s of %s (%s)", thousands(f.ledger.OthersRefused), thousands(f.ledger.Others), percent(f.ledger.OthersRefused, f.ledger.Others))
}

// estimate is how many of the others' calls flyball believes to have been
// refused. It sees none of them: only what is left of the limit.
func (f figures) estimate() string {
	switch {
	case !f.governed:
		return "-"
	case f.harm == 0:
		return "none"
	case f.harm < 0.5:
		return "under 1"
	default:
		return "about " + thousands(int(math.Round(f.harm)))
	}
}

// savedRows are the sends that flyball has saved, in all and by cause, as it
// counts them. The naive side has nothing to save with.
func savedRows(f figures) [][3]string {
	all := 0
	var rows [][3]string
	for _, s := range f.saved {
		all += s.Sends
		rows = append(rows, [3]string{"  " + causeText[s.Cause], "-", thousands(s.Sends)})
	}
	would := f.ledger.Sends + all
	for i, s := range f.saved {
		rows[i][2] += " (" + percent(s.Sends, would) + ")"
	}
	if all == 0 {
		return nil
	}
	head := [3]string{"sends saved, of " + thousands(would), "-", thousands(all) + " (" + percent(all, would) + ")"}
	return append([][3]string{head}, rows...)
}

// causeText says what saved a send.
var causeText = map[string]string{
	limit.Cached.String():    "kept answers",
	limit.Stale.String():     "kept answers, stale",
	limit.Coalesced.String(): "identical calls in flight",
	limit.Merged.String():    "calls merged into one",
	limit.Elided.String():    "writes that change nothing",
}

// used adds up what passed in the account's windows that lie wholly inside the
// run, as shares of what could have.
func (f figures) used() string {
	limit, ours, others := 0, 0, 0
	for _, w := range f.ledger.WindowsOf("account") {
		if w.Start.Before(f.began) || w.Start.Add(w.Length).After(f.ledger.To) {
			continue
		}
		limit += w.Limit
		ours += w.Admitted
		others += w.Others - w.OthersRefused
	}
	if limit == 0 {
		return "-"
	}
	return percent(ours, limit) + " + " + percent(others, limit)
}

// moral says where the naive side's extra records come from, if there are any.
func (v *demoView) moral() string {
	naive, governed := v.figures(0), v.figures(1)
	more, refused := naive.Records-governed.Records, naive.ledger.OthersRefused-governed.ledger.OthersRefused
	if more <= 0 || refused <= 0 {
		return ""
	}
	return fmt.Sprintf("The naive callers got more done only by taking it from the others: %s more of\ntheir calls were refused.\n\n", thousands(refused))
}

func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	share := 100 * float64(part) / float64(whole)
	if share > 0 && share < 1 {
		return fmt.Sprintf("%.1f %%", share)
	}
	return fmt.Sprintf("%.0f %%", share)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// markdown lays out rows as a table; the first is its head.
func markdown(rows [][3]string) string {
	var width [3]int
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len(cell))
		}
	}
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %-*s | %*s | %*s |\n", width[0], row[0], width[1], row[1], width[2], row[2])
		if i == 0 {
			fmt.Fprintf(&b, "|%s|%s:|%s:|\n", strings.Repeat("-", width[0]+2), strings.Repeat("-", width[1]+1), strings.Repeat("-", width[2]+1))
		}
	}
	return b.String()
}
