package rivals

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-analyze/charts"
)

// A panel is one figure of all policies, as bars side by side.
type panel struct {
	title string
	of    func(f figures) float64
}

func panels() []panel {
	return []panel{
		{"interactive p99, seconds", func(f figures) float64 { return f.wait(0.99).Seconds() }},
		{"others' calls refused, percent", figures.harm},
		{"429s to us per 1,000 calls", figures.per1k},
	}
}

const (
	namesWidth, panelWidth = 360, 260
	rowHeight, headHeight  = 26, 70
)

// draw is the SVG of one scenario: a row for each policy, a panel for each figure.
func (tab *table) draw(scenario string) ([]byte, error) {
	var rows []*result
	for _, r := range tab.results {
		if r.scenario.name == scenario {
			rows = append(rows, r)
		}
	}
	slices.Reverse(rows) // bars are drawn from below
	height := headHeight + rowHeight*len(rows)
	p := charts.NewPainter(charts.PainterOptions{
		OutputFormat: charts.ChartOutputSVG, Width: namesWidth + 3*panelWidth, Height: height,
	})
	p.FilledRect(0, 0, p.Width(), height, charts.ColorWhite, charts.ColorWhite, 0)
	left := 0
	for i, what := range panels() {
		right := left + panelWidth
		if i == 0 {
			right += namesWidth
		}
		child := p.Child(charts.PainterBoxOption(charts.NewBox(left, 0, right, height)))
		if err := child.BarChart(what.bars(rows, i == 0)); err != nil {
			return nil, fmt.Errorf("draw %s of %s: %w", what.title, scenario, err)
		}
		left = right
	}
	return p.Bytes()
}

// bars is one panel; only the first names the rows.
func (what panel) bars(rows []*result, named bool) charts.BarChartOption {
	ours, theirs := make([]float64, len(rows)), make([]float64, len(rows))
	names := make([]string, len(rows))
	for i, r := range rows {
		if value := max(what.of(r.figures), nothing); isFlyball(r) {
			ours[i] = value
		} else {
			theirs[i] = value
		}
		if names[i] = " "; named {
			names[i] = roomy(strings.ReplaceAll(r.policy.name, "*", ""))
		}
	}
	opt := charts.NewBarChartOptionWithData([][]float64{ours, theirs})
	opt.Horizontal, opt.StackSeries = true, charts.Ptr(true)
	opt.BarSize = 0.7
	opt.Theme = charts.GetDefaultTheme().WithSeriesColors([]charts.Color{charts.ColorFromHex("#1f77b4"), charts.ColorFromHex("#b0b7bf")})
	opt.Padding = charts.Box{Top: 10, Right: 45, Bottom: 10, Left: 10}
	opt.Title = charts.TitleOption{Text: what.title, Offset: charts.OffsetRight, FontStyle: charts.FontStyle{FontSize: 12}}
	opt.Legend.Show = charts.Ptr(false)
	opt.CategoryAxis = charts.CategoryAxisOption{Labels: names, LabelCount: len(names), LabelFontStyle: charts.FontStyle{FontSize: 9}}
	opt.ValueAxis = []charts.ValueAxisOption{{
		Min: charts.Ptr(0.0), Max: charts.Ptr(what.scale(rows)), RangeValuePaddingScale: charts.Ptr(0.0),
		LabelCount: 3, PreferNiceIntervals: charts.Ptr(false),
	}}
	for i := range opt.SeriesList {
		opt.SeriesList[i].Label = charts.SeriesLabel{Show: charts.Ptr(true), ValueFormatter: figure}
	}
	return opt
}

// roomy leaves room to the right of a name: the library measures its own font,
// and most readers' is up to a fifth wider.
func roomy(name string) string { return name + strings.Repeat("\u00a0", 2+len(name)/3) }

// nothing is a figure of 0; a 0 is no figure, for the other series has it.
const nothing = 1e-9

func figure(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", v)
}

// scale is the end of the axis: the first 1, 2, 4, 6 or 8 times a power of ten above
// all values.
func (what panel) scale(rows []*result) float64 {
	most := 0.0
	for _, r := range rows {
		most = max(most, what.of(r.figures))
	}
	for unit := 1.0; ; unit *= 10 {
		for _, times := range []float64{1, 2, 4, 6, 8} {
			if most <= unit*times {
				return unit * times
			}
		}
	}
}

func isFlyball(r *result) bool { return strings.Contains(r.policy.name, "flyball") }
