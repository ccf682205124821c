// The view "now": each bucket, who is held by it and why.

import { el, mark, show, sync, table, text } from "./dom.js";
import * as write from "./format.js";

const mostCards = 12;
const mostHeld = 8;
const lanes = ["interactive", "normal", "bulk"];

const sources = {
  header: "said by the account's answers",
  learned: "learned from refusals",
  configured: "from the configuration",
  documented: "documented: a first guess until an answer states it",
  unknown: "not known yet",
};

export function nowView(root, page) {
  const empty = el("div", { class: "empty" },
    el("h2", {}, "No call yet"),
    el("p", {}, "Nothing has gone through the gateway since it began, so no limit is known. Give a client the base URL that ",
      el("code", {}, "flyball serve"), " printed, or try one call:"),
    el("pre", {}, "curl -u you@example.com/token:TOKEN http://127.0.0.1:4290/api/v2/tickets.json"));
  const tiles = makeTiles();
  const cards = el("div", { class: "cards" });
  const more = table("All buckets", [
    { head: "Bucket", cell: (b) => b.bucket },
    { head: "Limit", num: true, cell: limitOf },
    { head: "Left", num: true, cell: (b) => write.count(b.left) },
    { head: "Resets in", num: true, cell: (b) => write.seconds(b.reset_seconds) },
    { head: "Held", num: true, cell: (b) => write.count(b.held) },
    { head: "429s", num: true, cell: (b) => write.count(b.refusals) },
    { head: "Who said so", cell: (b) => b.source },
  ], (b) => b.bucket);
  const rest = el("details", {}, el("summary", {}, ""), more.node);
  const quiet = el("p", { class: "quiet" });
  const waiting = makeWaiting();
  const buckets = el("section", { "aria-labelledby": "buckets-head" }, el("h2", { id: "buckets-head" }, "Buckets"), cards, quiet, rest);
  root.append(empty, tiles.node, buckets, waiting.node);

  return {
    every: () => 1500,
    now(now) {
      const all = now.limits.buckets;
      const known = all.length > 0 || now.limits.waiting > 0;
      show(empty, !known);
      show(buckets, all.length > 0);
      tiles.update(now);
      const shown = all.filter(worthACard).sort(byInterest).slice(0, mostCards).sort(byName);
      const folded = all.filter((b) => !worthACard(b)).length;
      sync(cards, shown, (b) => b.bucket, makeCard);
      show(quiet, folded > 0);
      text(quiet, `${write.many(folded, "bucket")} of single tickets, users or credentials ${folded === 1 ? "has" : "have"} most of ${folded === 1 ? "its" : "their"} limit left, and hold${folded === 1 ? "s" : ""} nobody.`);
      show(rest, all.length > 1);
      text(rest.firstChild, `All ${write.count(all.length)} buckets as a table`);
      if (rest.open) more.update(all);
      waiting.update(now);
    },
    async poll(now) {
      if (now.limits.waiting === 0) return waiting.calls([]);
      const doc = await page.ask("api/calls");
      if (doc && !doc.problem) waiting.calls(doc.held.slice(0, mostHeld));
    },
  };
}

// worthACard leaves out the many buckets of one object each that nobody has to
// think of.
const worthACard = (b) => (b.object == null && b.credential == null) || b.pause_seconds != null || b.held > 0 || used(b) >= 0.8;

// byInterest puts the services' own counters first, then what is in trouble.
function byInterest(a, b) {
  const weight = (x) => (x.id === "account") * 8 + (x.pause_seconds != null) * 4 + (x.held > 0) * 2 + used(x);
  return weight(b) - weight(a);
}

function byName(a, b) {
  return (b.id === "account") - (a.id === "account") || (a.bucket < b.bucket ? -1 : 1);
}

const used = (b) => (b.limit ? 1 - Math.max(0, b.left) / b.limit : 0);
const limitOf = (b) => (b.limit == null ? write.unknown : b.window_seconds ? `${write.count(b.limit)} per ${write.span(b.window_seconds)}` : write.count(b.limit));

function makeTiles() {
  const all = [
    ["sends-rate", "sends a second", (n) => write.count(n.second.sends), "requests that reached the account in the last whole second"],
    ["waiting", "calls held now", (n) => write.count(n.limits.waiting)],
    ["refusals", "429s in the last minute", (n) => write.count(n.minute.refusals), "refusals by the account", (n) => n.minute.refusals > 0],
    ["gave-up", "refused by flyball in the last minute", (n) => write.count(n.minute.gave_up), "calls that would have waited longer than they may", (n) => n.minute.gave_up > 0],
    ["hold-p50", "hold p50 in the last minute", (n) => write.seconds(n.minute.hold_p50_seconds), "half of all calls were held for at most this long"],
    ["hold-p99", "hold p99 in the last minute", (n) => write.seconds(n.minute.hold_p99_seconds), "99 of 100 calls were held for at most this long"],
    ["sends", "sends since the start", (n) => write.count(n.limits.sends)],
    ["saved", "sends saved since the start", (n) => write.count(n.limits.saved.reduce((sum, s) => sum + s.sends, 0))],
  ].map(([name, words, value, title, warn]) => {
    const figure = el("dd", { "data-figure": name });
    return { node: el("div", { class: "tile", title }, el("dt", {}, words), figure), figure, value, warn };
  });
  return {
    node: el("dl", { class: "tiles", "aria-label": "In short" }, ...all.map((t) => t.node)),
    update(now) {
      for (const t of all) {
        text(t.figure, t.value(now));
        t.node.classList.toggle("warn", Boolean(t.warn?.(now)));
      }
    },
  };
}

function makeCard(bucket) {
  const figure = (name) => el("span", { "data-figure": name });
  const left = figure("left");
  const of = el("span", { class: "of" });
  const ours = el("i", { class: "ours" });
  const others = el("i", { class: "others" });
  const gauge = el("div", { class: "gauge", role: "meter", "aria-valuemin": 0 }, ours, others);
  const turn = el("div", { class: "turn", "aria-hidden": "true" }, el("i", {}));
  const mineWords = el("span", {});
  const othersWords = el("span", {});
  const othersPart = el("span", {}, " · ", el("i", { class: "swatch others", "aria-hidden": "true" }), othersWords);
  const moreWords = el("span", {});
  const part = el("p", { class: "parts" }, el("i", { class: "swatch ours", "aria-hidden": "true" }), mineWords, othersPart, moreWords);
  const reset = figure("reset");
  const wait = figure("wait");
  const source = el("span", {});
  const pause = el("p", { class: "pause" });
  const held = el("p", { class: "held" });
  const head = el("h3", {}, bucket.bucket);
  const node = el("article", { class: "card", "data-bucket": bucket.bucket }, head,
    el("p", { class: "left" }, left, " ", of), gauge, turn, part, pause, held,
    el("p", { class: "small" }, reset, " · ", wait), el("p", { class: "small" }, source));
  return {
    node,
    update(b) {
      const known = b.limit != null;
      const away = known ? Math.max(0, b.limit - b.left) : 0;
      const mine = b.kind === "slots" ? away : known ? Math.min(b.ours, away) : 0;
      show(left, known);
      text(left, write.count(b.left));
      text(of, known ? `left of ${limitOf(b)}` : b.kind === "pause" ? "paused by a 429 once; no limit is stated" : "limit not known yet");
      show(gauge, known);
      ours.style.width = known ? (100 * mine) / b.limit + "%" : "0";
      others.style.width = known ? (100 * Math.min(away - mine, b.limit - mine)) / b.limit + "%" : "0";
      mark(gauge, "aria-valuemax", b.limit ?? 0);
      mark(gauge, "aria-valuenow", away);
      mark(gauge, "aria-valuetext", known ? `${write.count(away)} of ${limitOf(b)} used, ${write.count(b.left)} left` : "limit not known");
      mark(gauge, "aria-label", `${b.bucket}: used`);
      const passed = b.window_seconds && b.reset_seconds != null ? 100 * (1 - b.reset_seconds / b.window_seconds) : null;
      show(turn, known && passed != null);
      turn.firstChild.style.width = Math.min(100, Math.max(0, passed ?? 0)) + "%";
      text(mineWords, b.kind === "slots" ? `${write.count(away)} in use` : `${write.count(b.ours)} ours`);
      show(othersPart, b.others > 0);
      text(othersWords, `${write.count(b.others)} others' (estimated)`);
      text(moreWords, more(b));
      text(reset, resetOf(b));
      text(wait, b.wait_seconds > 0 ? `one more call likely waits ${write.seconds(b.wait_seconds)}` : "one more call goes at once");
      text(source, `Limit ${sources[b.source] ?? b.source}`);
      show(pause, b.pause_seconds != null);
      text(pause, b.pause_seconds == null ? "" : `Paused for ${write.seconds(b.pause_seconds)} more after a 429${b.pause_cause ? `: ${b.pause_cause}` : ""}`);
      show(held, b.held > 0);
      text(held, `${write.many(b.held, "call")} held by it`);
      node.classList.toggle("paused", b.pause_seconds != null);
      node.classList.toggle("near", known && away >= 0.9 * b.limit);
    },
  };
}

function resetOf(b) {
  if (b.kind === "slots") return "so many at once";
  if (b.reset_seconds == null || b.limit == null) return "no window seen yet";
  return b.reset_seconds > 0 ? `resets in ${write.seconds(b.reset_seconds)}` : "resets now";
}

function more(b) {
  const all = [""];
  if (b.in_flight > 0) all.push(`${write.count(b.in_flight)} under way`);
  if (b.refusals > 0) all.push(`429s since the start: ${write.count(b.refusals)}`);
  return all.join(" · ");
}

function makeWaiting() {
  const none = el("p", { class: "quiet" }, "Nothing is held: calls go out as they come.");
  const boxes = lanes.map((name) => {
    const n = el("strong", { "data-lane": name }, "0");
    const longest = el("span", { class: "small" });
    return { name, n, longest, node: el("div", { class: "lane" }, el("span", {}, name), n, longest) };
  });
  const row = el("div", { class: "lanes" }, ...boxes.map((b) => b.node));
  const lines = table("Which bucket holds whom", [
    { head: "Bucket", cell: (l) => l.bucket || "(in line)" },
    { head: "Class", cell: (l) => l.class },
    { head: "Calls held", num: true, cell: (l) => write.count(l.waiting) },
    { head: "Longest so far", num: true, cell: (l) => write.seconds(l.longest_seconds) },
    { head: "Why", cell: (l) => l.reason || write.unknown },
  ], (l) => l.bucket + " " + l.class);
  const clients = table("Whose calls are held", [
    { head: "Client", cell: (c) => c.client || "(unnamed)" },
    { head: "Calls held", num: true, cell: (c) => write.count(c.waiting) },
  ], (c) => c.client);
  const list = el("ol", { class: "whys" });
  const why = el("div", {}, el("h3", {}, "Held the longest, and why"), list);
  const body = el("div", {}, row, el("div", { class: "pair" }, lines.node, clients.node), why);
  return {
    node: el("section", { "aria-labelledby": "held-head" }, el("h2", { id: "held-head" }, "What holds whom, and why"), none, body),
    update(now) {
      const any = now.lines.length > 0;
      show(none, !any);
      show(body, any);
      for (const b of boxes) {
        const mine = now.lines.filter((l) => l.class === b.name);
        text(b.n, write.count(mine.reduce((sum, l) => sum + l.waiting, 0)));
        text(b.longest, mine.length ? `longest ${write.seconds(Math.max(...mine.map((l) => l.longest_seconds)))}` : "nobody waits");
      }
      lines.update(now.lines.slice(0, mostHeld));
      clients.update(now.waiting.slice(0, mostHeld));
      if (!any) this.calls([]);
    },
    calls(held) {
      show(why, held.length > 0);
      sync(list, held, (c) => c.since + c.client + c.route, () => {
        const sentence = el("p", {});
        const small = el("p", { class: "small" });
        return {
          node: el("li", {}, sentence, small),
          update(c) {
            text(sentence, c.why);
            text(small, `${c.class} · held for ${write.seconds(c.held_seconds)} · since ${write.time(c.since)}`);
          },
        };
      });
    },
  };
}
