// The view "clients": who used the account, and how near its limits it was.

import { choice, el, show, table, text } from "./dom.js";
import * as write from "./format.js";

const every = { "10m": 5000, "24h": 20000, "30d": 60000 };

export function clientsView(root, page) {
  let window = "10m";
  let at = 0; // of the figures shown
  const empty = el("p", { class: "empty" }, "No client has called in this time. Clients are named by the header Flyball-Client, by the configuration, or else by their credentials; choose a longer time, or let one call.");
  const problem = el("p", { class: "wrong", hidden: true, role: "alert" });
  const summary = el("p", {});
  const since = el("p", { class: "quiet" });
  const clients = table("Clients, the busiest first", [
    { head: "Client", name: "client", cell: (c) => c.client || "(unnamed)" },
    { head: "Share of the account", name: "share", num: true, cell: (c) => c.words ?? write.percent(c.share_percent), share: (c) => c.share_percent },
    { head: "Sends", name: "sends", num: true, cell: (c) => c.sent ?? write.count(c.sends) },
    { head: "Calls", name: "calls", num: true, cell: (c) => write.count(c.calls) },
    { head: "Saved", name: "saved", num: true, cell: (c) => write.count(c.saved_calls) },
    { head: "429s", name: "refusals", num: true, cell: (c) => write.count(c.refusals), warn: (c) => c.refusals > 0 },
    { head: "Refused by flyball", name: "gave-up", num: true, cell: (c) => write.count(c.gave_up), warn: (c) => c.gave_up > 0 },
    { head: "Hold p99", name: "hold", num: true, cell: (c) => write.seconds(c.hold_p99_seconds) },
    { head: "Held now", name: "waiting", num: true, cell: (c) => write.count(c.waiting) },
    { head: "Classes", name: "classes", cell: (c) => classes(c.classes) },
    { head: "Last seen", name: "seen", cell: (c) => (c.last_seen ? write.ago(c.last_seen, at) : write.unknown) },
  ], (c) => c.key ?? "c " + c.client);
  const near = table("How near the limits it was: windows of which that much was used, by us and others", [
    { head: "Bucket", name: "bucket", cell: (b) => b.bucket },
    { head: "Limit", num: true, cell: (b) => write.rate(b.limit) },
    { head: "Windows", name: "windows", num: true, cell: (b) => write.count(b.windows) },
    { head: "80–89 %", name: "at-80", num: true, cell: (b) => write.count(b.at_80) },
    { head: "90–99 %", name: "at-90", num: true, cell: (b) => write.count(b.at_90), warn: (b) => b.at_90 > 0 },
    { head: "100 %", name: "at-100", num: true, cell: (b) => write.count(b.at_100), warn: (b) => b.at_100 > 0 },
    { head: "Ours", num: true, cell: (b) => write.count(b.ours) },
    { head: "Others', estimated", num: true, cell: (b) => write.range(b.others, b.others_at_most, write.count) },
    { head: "429s", num: true, cell: (b) => write.count(b.refusals), warn: (b) => b.refusals > 0 },
  ], (b) => b.bucket);
  const nearHead = el("h2", {}, "Near-limit minutes");
  const nearNote = el("p", { class: "small" }, "For the account's own bucket a window is a minute, counted as Zendesk's usage page does.");
  const views = [clients.node, nearHead, nearNote, near.node];
  const view = {
    every: () => every[window],
    event() {},
    async poll() {
      const asked = window;
      const doc = await page.ask(`api/clients?window=${asked}`);
      if (asked !== window) {
        view.every = () => 0;
        return;
      }
      view.every = () => every[window];
      show(problem, Boolean(doc?.problem));
      if (doc?.problem) text(problem, doc.problem);
      else if (doc) draw(doc);
    },
  };
  root.append(el("div", { class: "bar" }, choice("Time shown", "clients-window", [["10m", "10 minutes"], ["24h", "24 hours"], ["30d", "30 days"]], window, (v) => {
    window = v;
    view.every = () => 0;
  })), problem, summary, since, empty, ...views);
  return view;

  function draw(doc) {
    const any = doc.clients.length > 0;
    at = doc.at;
    show(empty, !any);
    for (const node of [...views, summary]) show(node, any);
    text(since, new Date(doc.since) > new Date(doc.from) ? `Remembered since ${write.date(doc.since)}.` : "");
    const { ours, others } = doc;
    const share = write.range(others.share_percent, others.share_at_most_percent, write.percent);
    text(summary, `${write.many(ours.calls, "call")} of ${write.many(doc.clients.filter((c) => c.client !== "(other)").length, "client")} came to ${write.many(ours.sends, "send")}; ` +
      (others.at_most > 0 ? `${share} of the account's use came from elsewhere.` : "nobody else was seen using the account."));
    const elsewhere = {
      key: "elsewhere", client: "elsewhere: did not pass flyball (estimated)", share_percent: others.share_percent, words: share,
      sent: write.range(others.sends, others.at_most, write.count),
    };
    clients.update([...doc.clients, ...(others.at_most > 0 ? [elsewhere] : [])]);
    near.update(doc.buckets);
    const some = doc.buckets.length > 0;
    for (const node of [nearHead, nearNote, near.node]) show(node, any && some);
  }
}

function classes(c) {
  if (!c) return write.unknown;
  const some = Object.entries(c).filter(([, n]) => n > 0);
  return some.length === 1 ? some[0][0] : some.map(([name, n]) => `${name} ${write.count(n)}`).join(", ") || write.unknown;
}
