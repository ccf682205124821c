// Charts over time: uPlot on a canvas, a legend with sums, and the figures as
// a table for those who cannot see or point at a canvas.

import { el, mark, show, sync, text } from "./dom.js";
import * as write from "./format.js";

const colours = 8;
const height = 200;
const fewest = 24; // steps
const dark = matchMedia("(prefers-color-scheme: dark)");

let scheme = 0; // counts changes between dark and light
dark.addEventListener("change", () => scheme++);

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * makeChart makes a chart: {node, update(data)}.
 *
 * data is {starts, step, since, series, empty}: the steps' beginnings in Unix
 * seconds, their length, the time before which nothing is remembered, what to
 * draw, and what to say when there is nothing. A series is {name, values, sum,
 * line, colour}; those that are no lines are stacked bars. write writes a
 * figure, sums says whether the legend shows sums.
 */
export function makeChart(title, note, write_) {
  const plot = el("div", { class: "plot", role: "img" });
  const none = el("p", { class: "quiet", hidden: true });
  const legend = el("ul", { class: "legend" });
  const holder = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${title}: the figures` });
  const figures = el("details", {}, el("summary", {}, "The figures as a table"), holder);
  const heading = el("h3", {}, title);
  const node = el("figure", { class: "chart" }, heading, note ? el("p", { class: "small" }, note) : null, plot, none, legend, figures);
  const c = { data: null, chart: null, made: "", plot, legend, title, write: write_ };

  new ResizeObserver(() => {
    if (c.chart && plot.clientWidth > 0 && plot.clientWidth !== c.chart.width) c.chart.setSize({ width: plot.clientWidth, height });
    else if (!c.chart && c.data && plot.clientWidth > 0) draw(c);
  }).observe(plot);
  figures.addEventListener("toggle", () => fill(holder, figures.open ? c.data : null, write_));
  dark.addEventListener("change", () => c.data && draw(c));

  return {
    node,
    update(data) {
      c.data = data;
      const any = data.series.some((s) => s.values.some((v) => v));
      show(none, !any);
      text(none, data.empty);
      show(plot, any);
      show(legend, any);
      show(figures, any);
      if (!any) return;
      draw(c);
      label(c, null);
      if (figures.open) fill(holder, data, write_);
    },
  };
}

/** colourOf is the colour of the series at a place, unless it has its own. */
const colourOf = (s, i) => style(s.colour ?? `--c${(i % colours) + 1}`);

function draw(c) {
  const { data } = c;
  const width = c.plot.clientWidth;
  if (width === 0) return; // in a view that is not shown; the observer comes back
  const made = JSON.stringify([scheme, dark.matches, data.step, data.series.map((s) => [s.name, s.line, s.colour])]);
  if (made !== c.made || !c.chart) {
    c.chart?.destroy();
    c.chart = new uPlot(options(c, width), stacked(data), c.plot);
    c.made = made;
    return;
  }
  c.chart.setData(stacked(data));
}

function options(c, width) {
  const axis = { stroke: style("--soft"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line"), width: 1, size: 4 }, font: "12px system-ui, sans-serif" };
  const bars = uPlot.paths.bars({ size: [1, Infinity], align: 1 });
  const steps = uPlot.paths.stepped({ align: 1 });
  const series = c.data.series.map((s, i) => {
    const colour = colourOf(s, i);
    const common = { label: s.name, points: { show: false }, spanGaps: false };
    return s.line
      ? { ...common, stroke: colour, width: 2, dash: s.dash, paths: steps }
      : { ...common, fill: colour, stroke: colour, width: 0, paths: bars };
  });
  return {
    width, height, legend: { show: false }, padding: [8, 8, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: true, range: () => shownTime(c.data) },
      y: { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      { ...axis, space: 70, size: 26, values: (u, at) => at.map((t) => write.tick(t, u.scales.x.max - u.scales.x.min)) },
      { ...axis, size: 62, values: (u, at) => at.map((v) => c.write(v)) },
    ],
    series: [{}, ...series],
    hooks: { setCursor: [(u) => label(c, u.cursor.idx)] },
  };
}

// shownTime is the time asked for, or since when there is something to show.
function shownTime({ starts, step, since }) {
  const end = starts.at(-1) + step;
  const from = since ? Math.min(new Date(since) / 1000, end - fewest * step) : 0;
  return [Math.max(starts[0], from), end];
}

// stacked adds up what is stacked, from the last series to the first, so that
// each is drawn over the one before it. Steps of which nothing is remembered
// are gaps.
function stacked({ starts, step, since, series }) {
  const from = since ? new Date(since) / 1000 : 0;
  const known = starts.map((t) => t + step > from);
  const sums = new Array(starts.length).fill(0);
  const columns = []; // each with one more entry, where the last step ends
  for (const s of [...series].reverse()) {
    const column = starts.map((_, i) => {
      const v = s.values[i];
      if (!known[i] || v == null) return null;
      if (s.line) return v;
      sums[i] += Math.max(0, v);
      return sums[i];
    });
    columns.unshift([...column, s.line ? column.at(-1) : null]);
  }
  return [[...starts, starts.at(-1) + step], ...columns];
}

// label writes the legend: the sums, or the figures of the step pointed at.
function label(c, at) {
  const { data } = c;
  const step = at != null && data.starts[at] != null;
  const items = data.series.map((s, i) => ({
    name: s.name, colour: colourOf(s, i), line: s.line,
    figure: step ? c.write(s.values[at]) : s.sum ?? "",
  }));
  if (step) items.unshift({ name: "", figure: write.moment(data.starts[at], data.step) });
  sync(c.legend, items, (s) => s.name, () => {
    const swatch = el("i", { "aria-hidden": "true" });
    const name = el("span", {});
    const figure = el("strong", {});
    return {
      node: el("li", {}, swatch, name, " ", figure),
      update(s) {
        show(swatch, Boolean(s.colour));
        swatch.style.background = s.colour ?? "";
        text(name, s.name);
        text(figure, s.figure);
      },
    };
  });
  if (!step) mark(c.plot, "aria-label", `${c.title}: ${data.series.map((s) => `${s.name} ${s.sum ?? ""}`.trim()).join(", ")}. The figures are in the table below.`);
}

// fill writes the table of figures, the latest step first; without data it is
// taken away.
function fill(holder, data, write_) {
  if (!data) {
    holder.replaceChildren();
    return;
  }
  const rows = [];
  for (let i = data.starts.length - 1; i >= 0; i--) {
    if (!data.series.some((s) => s.values[i])) continue;
    rows.push(el("tr", {}, el("th", { scope: "row" }, write.moment(data.starts[i], data.step)),
      ...data.series.map((s) => el("td", { class: "num" }, write_(s.values[i])))));
  }
  const scroll = holder.scrollTop;
  holder.replaceChildren(el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "from"), ...data.series.map((s) => el("th", { scope: "col", class: "num" }, s.name)))),
    el("tbody", {}, ...rows)));
  holder.scrollTop = scroll;
}
