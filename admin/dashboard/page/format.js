// How figures are written: in the reader's own way.

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortClock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayClock = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export const unknown = "–";

export const count = (n) => (n == null ? unknown : whole.format(n));
export const rate = (n) => (n == null ? unknown : (Math.abs(n) < 10 ? tenth : whole).format(n));
export const percent = (n) => (n == null ? unknown : tenth.format(n) + " %");

/** calls says how many there are of a thing: "1 call", "12 calls". */
export const many = (n, one, more = one + "s") => `${count(n)} ${n === 1 ? one : more}`;

/** seconds writes a duration: "0 s", "80 ms", "8.3 s", "42 s", "3 min", "2.5 h". */
export function seconds(s) {
  if (s == null) return unknown;
  if (s < 0.0005) return "0 s";
  if (s < 1) return whole.format(s * 1000) + " ms";
  if (s < 9.95) return tenth.format(s) + " s";
  if (s < 119.5) return whole.format(s) + " s";
  if (s < 5400) return tenth.format(s / 60) + " min";
  if (s < 172800) return tenth.format(s / 3600) + " h";
  return tenth.format(s / 86400) + " days";
}

/** span names a window: "minute", "10 s". */
export function span(s) {
  if (s === 1) return "second";
  if (s === 60) return "minute";
  if (s === 3600) return "hour";
  return seconds(s);
}

export const time = (t) => (t == null ? unknown : clock.format(new Date(t)));
export const date = (t) => (t == null ? unknown : dayClock.format(new Date(t)));

/** moment writes a step's beginning, given in Unix seconds, as finely as its length asks for. */
export function moment(unix, step) {
  const at = new Date(unix * 1000);
  if (step >= 3600) return dayClock.format(at);
  return (step >= 60 ? shortClock : clock).format(at);
}

/** tick writes a moment below an axis that spans so many seconds. */
export function tick(unix, spanned) {
  const at = new Date(unix * 1000);
  return (spanned > 2 * 86400 ? day : spanned > 300 ? shortClock : clock).format(at);
}

/** range writes an estimate: from what was seen to what it may be at most. */
export const range = (least, most, words) => (words(most) !== words(least) ? `${words(least)} to ${words(most)}` : words(least));

/** ago says how long before now a time was. */
export const ago = (t, now) => seconds(Math.max(0, Math.round((new Date(now) - new Date(t)) / 1000))) + " ago";
