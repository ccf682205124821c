// The view "over time": what the sends went on, and what they met.

import { makeChart } from "./chart.js";
import { choice, el, show, text } from "./dom.js";
import * as write from "./format.js";

const windows = { "10m": { step: "5s", every: 5000 }, "6h": { step: "1m", every: 20000 }, "30d": { step: "1h", every: 60000 } };
const mostSeries = 7;
const splits = { clients: "client", routes: "endpoint", classes: "class", services: "service" };

export function timeView(root, page) {
  const chosen = { window: "10m", split: "clients", count: "sends", bucket: "" };
  let data = null;
  const lengths = {}; // of the buckets' windows, in seconds
  const again = () => {
    view.every = () => 0; // at the next look
  };
  const buckets = el("select", { id: "time-bucket", onchange: () => { chosen.bucket = buckets.value; draw(); } });
  const problem = el("p", { class: "wrong", hidden: true, role: "alert" });
  const since = el("p", { class: "quiet" });
  const charts = {
    limit: makeChart("Sends against the limit", "", write.rate),
    split: makeChart("Who and what", "", write.count),
    refused: makeChart("429s by cause", "What the account refused, by the bucket it blames; and what flyball refused, because the call would have waited longer than it may.", write.count),
    others: makeChart("Others' share", "Of all sends that the account counted, those that did not pass flyball. An estimate out of what its answers say is left.", write.percent),
    saved: makeChart("Sends saved", "Calls answered without a send of their own, less the sends made in their place, by cause.", write.count),
    holds: makeChart("Holds", "How long calls waited for leave: half of all at most p50, 99 of 100 at most p99. Calls not held count as 0.", write.seconds),
  };
  const limitNote = el("p", { class: "small" });
  charts.limit.node.children[0].after(el("label", { for: "time-bucket", class: "small" }, "Bucket "), buckets, limitNote);
  charts.split.node.children[0].after(el("div", { class: "bar" },
    choice("Split by", "split", Object.entries(splits), chosen.split, (v) => { chosen.split = v; draw(); }),
    choice("Count", "count", [["sends", "sends"], ["calls", "calls"]], chosen.count, (v) => { chosen.count = v; draw(); })));
  root.append(
    el("div", { class: "bar" }, choice("Time shown", "window", [["10m", "10 minutes"], ["6h", "6 hours"], ["30d", "30 days"]], chosen.window, (v) => {
      chosen.window = v;
      again();
    })), problem, since, el("div", { class: "charts" }, ...Object.values(charts).map((c) => c.node)));

  const view = {
    every: () => windows[chosen.window].every,
    async poll(now) {
      for (const b of now.limits.buckets) lengths[`${b.service}/${b.id}`] = b.window_seconds;
      const window = chosen.window;
      const doc = await page.ask(`api/usage?window=${window}&step=${windows[window].step}`);
      if (window !== chosen.window) return again();
      view.every = () => windows[chosen.window].every;
      show(problem, Boolean(doc?.problem));
      if (doc?.problem) text(problem, doc.problem);
      else if (doc) {
        data = doc;
        draw();
      }
    },
  };
  return view;

  function draw() {
    if (!data) return;
    text(since, (new Date(data.since) > new Date(data.from) ? `Remembered since ${write.date(data.since)}. ` : "") +
      `Each step is ${{ 60: "a minute", 3600: "an hour" }[data.step_seconds] ?? write.seconds(data.step_seconds)}; the last is under way.`);
    pickBucket();
    const frame = { starts: data.starts, step: data.step_seconds, since: data.since };
    charts.limit.update({ ...frame, ...againstLimit(data, chosen.bucket, lengths, limitNote) });
    charts.split.update({ ...frame, ...split(data[chosen.split], chosen.count, splits[chosen.split]) });
    charts.refused.update({ ...frame, ...refusals(data) });
    charts.others.update({ ...frame, ...othersShare(data) });
    charts.saved.update({ ...frame, ...saved(data) });
    charts.holds.update({ ...frame, ...holds(data) });
  }

  function pickBucket() {
    const names = data.buckets.map((b) => b.bucket);
    if (!names.includes(chosen.bucket)) chosen.bucket = names.find((n) => n.endsWith("/account")) ?? names[0] ?? "";
    const had = [...buckets.options].map((o) => o.value);
    if (had.join() !== names.join()) buckets.replaceChildren(...names.map((n) => el("option", { value: n }, n)));
    buckets.value = chosen.bucket;
  }
}

// againstLimit draws one bucket's sends as a pace: in one of its windows. A
// step longer than the window shows the mean of its windows.
function againstLimit(data, name, lengths, note) {
  const bucket = data.buckets.find((b) => b.bucket === name);
  const empty = "No bucket is known for this time: a bucket is known from the first call that draws on it.";
  if (!bucket) return { series: [], empty };
  const window = lengths[name] ?? 60;
  const [since, at] = [data.since, data.at].map((t) => new Date(t) / 1000);
  const seen = data.starts.map((t) => Math.max(1, Math.min(t + data.step_seconds, at) - Math.max(t, since))); // of each step
  const pace = (values) => values.map((v, i) => Math.max(0, v) * (window / seen[i]));
  text(note, `As a pace: sends in ${window === 60 ? "a minute" : write.span(window)}, the bucket's window.` +
    (data.step_seconds < window ? " Within one window a burst may go faster than the limit's even pace." : ""));
  return {
    empty: "Nothing was sent in this time.",
    series: [
      { name: "ours", values: pace(bucket.ours), sum: write.count(bucket.sum.ours), colour: "--ours" },
      { name: "others'", values: pace(bucket.others), sum: estimate(bucket.sum), colour: "--others" },
      { name: "limit", values: bucket.limit, sum: write.rate(bucket.sum.limit), line: true, dash: [6, 4], colour: "--ink" },
    ],
  };
}

const estimate = (sum) => write.range(sum.others, sum.others_at_most, write.count);

// split draws the busiest names; the rest is one.
function split(all, count, word) {
  const named = all.map((s) => ({ name: s.name || "(unnamed)", values: s[count], sum: s.sum[count] })).filter((s) => s.sum > 0);
  const rest = named.filter((s, i) => s.name === "(other)" || i >= mostSeries);
  const series = named.filter((s) => !rest.includes(s));
  if (rest.length) {
    series.push({ name: "(other)", colour: "--c8", values: rest[0].values.map((_, i) => rest.reduce((n, s) => n + s.values[i], 0)), sum: rest.reduce((n, s) => n + s.sum, 0) });
  }
  return {
    empty: `No ${count} in this time. Choose a longer one, or wait for the first ${word}.`,
    series: series.map((s) => ({ ...s, sum: write.count(s.sum) })),
  };
}

function refusals(data) {
  const series = [];
  for (const b of data.buckets) {
    if (b.sum.refusals > 0) series.push({ name: `account: ${b.bucket}`, values: b.refusals, n: b.sum.refusals });
    if (b.sum.gave_up > 0) series.push({ name: `flyball: ${b.bucket}`, values: b.gave_up, n: b.sum.gave_up });
  }
  blame(series, "account: in line", data.total.refusals, data.sum.refusals, (b) => b.refusals, data);
  blame(series, "flyball: in line", data.total.gave_up, data.sum.gave_up, (b) => b.gave_up, data);
  series.sort((a, b) => b.n - a.n);
  return { empty: "No call was refused in this time, by the account or by flyball.", series: series.map((s) => ({ ...s, sum: write.count(s.n) })) };
}

// blame adds what no bucket is blamed for, so that the sums are those of all.
function blame(series, name, total, sum, of, data) {
  const values = total.map((n, i) => n - data.buckets.reduce((m, b) => m + of(b)[i], 0));
  const n = sum - data.buckets.reduce((m, b) => m + of(b.sum), 0);
  if (n > 0) series.push({ name, values: values.map((v) => Math.max(0, v)), n });
}

function othersShare(data) {
  const counted = data.buckets.filter((b) => b.bucket.endsWith("/account"));
  const values = data.starts.map((_, i) => {
    const ours = counted.reduce((n, b) => n + b.ours[i], 0);
    const others = counted.reduce((n, b) => n + Math.max(0, b.others[i]), 0);
    return ours + others > 0 ? (100 * others) / (ours + others) : null;
  });
  const ours = counted.reduce((n, b) => n + b.sum.ours, 0);
  const share = (o) => (ours + o > 0 ? (100 * o) / (ours + o) : 0);
  const least = counted.reduce((n, b) => n + b.sum.others, 0);
  const most = counted.reduce((n, b) => n + b.sum.others_at_most, 0);
  const sum = write.range(share(least), share(most), write.percent);
  return { empty: "Nobody else was seen using the account in this time.", series: [{ name: "others", values, sum, colour: "--others" }] };
}

function saved(data) {
  return {
    empty: "Nothing was saved in this time. Caching, merging and leaving out writes are off unless asked for; flyball audit tells from a log what they would save.",
    series: data.saved.map((s) => ({ name: s.cause, values: s.sends, sum: write.count(s.sum_sends) })),
  };
}

function holds(data) {
  return {
    empty: "No call was held in this time.",
    series: [
      { name: "p99", values: data.total.hold_p99_seconds, sum: write.seconds(data.sum.hold_p99_seconds), line: true, colour: "--c2" },
      { name: "p50", values: data.total.hold_p50_seconds, sum: write.seconds(data.sum.hold_p50_seconds), line: true, colour: "--c1" },
    ],
  };
}
