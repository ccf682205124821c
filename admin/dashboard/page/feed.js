// What the page asks the admin address: documents, and the stream of events.

const key = "flyball-admin-token";
const silence = 5000; // the stream tells how things stand every second
const longest = 10000;
const mostText = 4 << 20;

let token = sessionStorage.getItem(key) ?? "";

/** setToken keeps the token for this tab. */
export function setToken(given) {
  token = given.trim();
  sessionStorage.setItem(key, token);
}

/** A Refusal is an answer of the admin address that is not what was asked for. */
export class Refusal extends Error {
  constructor(status, description) {
    super(description);
    this.status = status;
  }
}

async function get(path, signal) {
  const headers = token ? { Authorization: "Bearer " + token } : {};
  const answer = await fetch(path, { headers, signal, cache: "no-store", credentials: "omit", redirect: "error" });
  if (answer.ok) return answer;
  let description = `the admin address answers ${answer.status}`;
  try {
    description = (await answer.json()).description ?? description;
  } catch {
    // not from flyball: a proxy's page, say
  }
  throw new Refusal(answer.status, description);
}

/** ask reads one document. */
export async function ask(path) {
  return (await get(path, AbortSignal.timeout(10000))).json();
}

/**
 * follow reads the events for as long as the page is open. It calls on.event
 * with a name and a text, on.open when the stream begins, and on.lost with the
 * reason when it ends; then it tries again, less and less often. After a 401 it
 * waits until on.token's promise holds.
 */
export async function follow(on) {
  let pause = 500;
  for (;;) {
    const dog = new Watchdog();
    try {
      const answer = await get("api/events", dog.signal);
      for await (const [name, data] of events(answer.body, dog)) {
        if (name === "now") pause = 500;
        on.event(name, data);
      }
      on.lost(new Error("the stream has ended"));
    } catch (err) {
      on.lost(err);
      if (err.status === 401) {
        await on.token(err, token !== "");
        pause = 500;
        continue;
      }
    } finally {
      dog.end();
    }
    await rest(pause * (0.75 + Math.random() / 2));
    pause = Math.min(2 * pause, longest);
  }
}

/** A Watchdog cuts a stream that has gone silent. */
class Watchdog {
  #abort = new AbortController();
  #timer;
  signal = this.#abort.signal;
  constructor() {
    this.feed();
  }
  feed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(new Error("nothing was heard for 5 s")), silence);
  }
  end() {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }
}

/** events cuts a body into server-sent events. */
async function* events(body, dog) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    dog.feed();
    buffer += decoder.decode(value, { stream: true });
    let end;
    let from = 0;
    while ((end = buffer.indexOf("\n\n", from)) >= 0) {
      const event = parse(buffer.slice(from, end));
      if (event) yield event;
      from = end + 2;
    }
    buffer = buffer.slice(from);
    if (buffer.length > mostText) throw new Error("an event without an end");
  }
}

function parse(block) {
  let name = "message";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data += line.slice(6);
  }
  return data && [name, data];
}

/** rest waits, but not while there is a reason to try at once. */
function rest(ms) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", seen);
      resolve();
    };
    const seen = () => document.hidden || wake();
    const timer = setTimeout(wake, ms);
    addEventListener("online", wake);
    document.addEventListener("visibilitychange", seen);
  });
}
