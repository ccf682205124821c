// The page: which view is shown, and whether what it shows is of now.

import { mark, show, text } from "./dom.js";
import { Refusal, ask, follow, setToken } from "./feed.js";
import * as write from "./format.js";
import { callsView } from "./calls.js";
import { clientsView } from "./clients.js";
import { nowView } from "./now.js";
import { timeView } from "./time.js";

const $ = (id) => document.getElementById(id);
const makers = { now: nowView, time: timeView, clients: clientsView, calls: callsView };
const views = {};
const tabs = [...document.querySelectorAll("[role=tab]")];
const page = {
  now: null, // the last event "now"
  at: 0, // when it came
  lost: 0, // since when nothing comes, 0 while it does
  why: "",
  shown: "now",
  version: null,
  dirty: false,
};

// Views.

for (const [name, make] of Object.entries(makers)) views[name] = make($("view-" + name), { ask: read });

// The hash names a view and no element, or the browser would scroll to it.
const viewOf = (tab) => tab.id.slice("tab-".length);

function select(name, focus) {
  if (!views[name]) name = "now";
  page.shown = name;
  for (const tab of tabs) {
    const chosen = viewOf(tab) === name;
    mark(tab, "aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) tab.focus();
    show($("view-" + viewOf(tab)), chosen && $("ask").hidden);
  }
  document.title = `flyball: ${$("tab-" + name).textContent}`;
  if (location.hash.slice(1) !== name) history.replaceState(null, "", "#" + name);
  refresh(true);
}

tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => select(viewOf(tab)));
  tab.addEventListener("keydown", (e) => {
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    select(viewOf(tabs[(to + tabs.length) % tabs.length]), true);
  });
});
addEventListener("hashchange", () => views[location.hash.slice(1)] && select(location.hash.slice(1)));

// What views ask for themselves, now and then. Nothing is asked for a view
// that nobody sees, or while there is no connection.

async function read(path) {
  try {
    return await ask(path);
  } catch (err) {
    if (err instanceof Refusal && err.status !== 401) return { problem: err.message };
    return null; // the stream notices too, and says so
  }
}

function refresh(atOnce) {
  if (document.hidden || page.lost || !page.now || !$("ask").hidden) return;
  const view = views[page.shown];
  const now = performance.now();
  if (!view.poll || view.asking || (!atOnce && now - (view.asked ?? -Infinity) < view.every())) return;
  view.asked = now;
  view.asking = true;
  view.poll(page.now).finally(() => (view.asking = false));
}

setInterval(() => refresh(false), 500);

// The stream.

function draw() {
  page.dirty = false;
  const { now } = page;
  if (!now) return;
  text($("account"), now.limits.account);
  text($("version"), now.limits.version ? `flyball ${now.limits.version}` : "");
  views[page.shown].now?.(now);
}

function dirty() {
  if (page.dirty) return;
  page.dirty = true;
  requestAnimationFrame(draw);
}

function state() {
  const words = page.lost ? "Not connected" : page.now ? "Live" : "Connecting";
  text($("state"), words);
  mark($("state"), "data-state", page.lost ? "lost" : page.now ? "live" : "begin");
  document.body.classList.toggle("stale", Boolean(page.lost && page.now));
  banner();
}

function banner() {
  const words = [];
  if (page.lost && $("ask").hidden) {
    words.push(`Connection lost since ${write.time(page.lost)}: ${page.why}. Trying again by itself.`);
    if (page.now) words.push(`What is shown is of ${write.time(page.at)}.`);
  } else if (page.updated) {
    words.push("flyball was updated meanwhile: reload this page to get its new one.");
  }
  text($("banner"), words.join(" "));
  show($("banner"), words.length > 0);
}

let given = null; // ends the wait for a token

follow({
  event(name, data) {
    if (name === "now") {
      page.now = JSON.parse(data);
      const version = page.now.limits.version ?? "";
      page.version ??= version;
      page.updated = page.version !== version;
      const back = page.lost > 0 || !page.at;
      page.lost = 0;
      page.at = Date.now();
      if ($("ask").hidden === false) closeAsk();
      state();
      dirty();
      if (back) refresh(true);
    } else if (page.shown === "calls" && !document.hidden) {
      views.calls.event(name, JSON.parse(data));
    }
  },
  lost(err) {
    page.lost ||= Date.now();
    page.why = err instanceof Refusal ? err.message : err.name === "TypeError" ? "the gateway does not answer" : err.message;
    state();
  },
  token(err, had) {
    show($("ask"), true);
    for (const name of Object.keys(views)) show($("view-" + name), false);
    text($("wrong"), had ? "That is not this address's token." : "");
    $("token").focus();
    state();
    return new Promise((resolve) => (given = resolve));
  },
});

$("ask").addEventListener("submit", (e) => {
  e.preventDefault();
  setToken($("token").value);
  given?.();
});

function closeAsk() {
  show($("ask"), false);
  $("token").value = "";
  text($("wrong"), "");
  select(page.shown, true);
}

select(location.hash.slice(1) || "now");
