// The view "calls": which were refused, which were held long, and why.

import { el, mark, show, sync, text } from "./dom.js";
import * as write from "./format.js";

const mostEvents = 30;
const fewRows = 8;
const notable = new Set(["refused", "gave_up", "retried", "lost", "left", "crowded", "learned"]);
const outcomes = {
  answered: "then answered", answered_429: "then handed the account's 429", answered_5xx: "then answered with an error of the account",
  gave_up: "then refused by flyball", left: "its caller left", failed: "then failed",
};
const kinds = { refused: "refused by the account", gave_up: "refused by flyball", retried: "sent again", lost: "lost on the way", left: "caller left", crowded: "too many wait", learned: "limit learned" };

export function callsView(root, page) {
  let events = [];
  const problem = el("p", { class: "wrong", hidden: true, role: "alert" });
  const held = list("Held now", "No call is held.", (c) => c.why, (c) => `${c.class} · held for ${write.seconds(c.held_seconds)} · since ${write.time(c.since)}`);
  const refused = list("Refused last", "No call was refused since flyball began: not by the account, not by flyball.", (c) => c.why,
    (c) => `${write.date(c.at)} · by ${c.by === "account" ? `the account${c.status ? ` (${c.status})` : ""}` : "flyball"} · ${c.class}${c.bucket ? ` · ${c.bucket}` : ""}` +
      (c.held_seconds > 0 ? ` · held for ${write.seconds(c.held_seconds)} before` : ""));
  const longest = list("Held the longest in the last hour", "No call was held in the last hour.", (c) => c.why,
    (c) => `${write.time(c.at)} · ${outcomes[c.outcome] ?? c.outcome}${c.status ? ` (${c.status})` : ""} · ${c.class}`);
  const happens = list("As it happens", "Refusals, retries and lost sends are shown here as they happen, while this view is open.", (e) => sentence(e), (e) => `${write.time(e.at)} · ${kinds[e.kind] ?? e.kind}`);
  root.append(problem, held.node, refused.node, longest.node, happens.node);

  let n = 0;
  return {
    every: () => 2000,
    event(name, data) {
      if (name !== "call" || !notable.has(data.kind)) return;
      events.unshift({ ...data, n: n++ });
      events = events.slice(0, mostEvents);
    },
    now() {
      happens.update(events, (e) => e.n);
    },
    async poll() {
      const doc = await page.ask("api/calls");
      show(problem, Boolean(doc?.problem));
      if (doc?.problem) text(problem, doc.problem);
      if (!doc || doc.problem) return;
      held.update(doc.held, key, doc.waiting);
      refused.update(doc.refused, key);
      longest.update(doc.longest, key);
    },
  };
}

const key = (c) => `${c.since ?? c.at} ${c.client} ${c.route} ${c.held_seconds && !c.since ? c.held_seconds : ""}`;

function sentence(e) {
  if (e.why) return e.why;
  const who = `${e.route} of ${e.client || "an unnamed client"}`;
  if (e.kind === "retried") return `${who} is sent again${e.wait_seconds ? ` in ${write.seconds(e.wait_seconds)}` : ""}${e.reason ? `: ${e.reason}` : ""}`;
  if (e.kind === "lost") return `${who} was sent and never answered`;
  if (e.kind === "left") return `${who}: its caller left before it was answered`;
  return `${who}: ${kinds[e.kind] ?? e.kind}${e.bucket ? ` (${e.bucket})` : ""}`;
}

// list makes a list of sentences, each with what else there is to say.
function list(title, none, why, details) {
  const heading = el("h2", {}, title);
  const quiet = el("p", { class: "quiet" }, none);
  const items = el("ol", { class: "whys" });
  let whole = false;
  let again = () => {};
  const more = el("button", { class: "more", hidden: true, onclick: () => { whole = !whole; again(); } });
  return {
    node: el("section", {}, heading, quiet, items, more),
    update(all, keyOf, total = all.length) {
      text(heading, total > 0 ? `${title} (${write.count(total)})` : title);
      show(quiet, all.length === 0);
      again = () => this.update(all, keyOf, total);
      show(more, all.length > fewRows);
      text(more, whole ? "Show fewer" : `Show ${write.count(all.length)}${total > all.length ? ` of ${write.count(total)}` : ""}`);
      mark(more, "aria-expanded", whole);
      sync(items, whole ? all : all.slice(0, fewRows), keyOf, () => {
        const sentence = el("p", {});
        const small = el("p", { class: "small" });
        const node = el("li", {}, sentence, small);
        return {
          node,
          update(c) {
            text(sentence, why(c));
            text(small, details(c));
            mark(node, "data-by", c.by ?? (c.kind === "refused" ? "account" : c.kind === "gave_up" ? "flyball" : null));
          },
        };
      });
    },
  };
}
