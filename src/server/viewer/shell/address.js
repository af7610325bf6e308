// What the fragment of the page's address says: settings and a place, so that a link shows the same thing.

import { keep } from "./net.js";

export const FLAGS = ["wrap", "numbers", "times", "regex", "filter", "invert", "fold"];
// `q` is searched for; entries of a `level` (its name) or a graver one are shown; so many `lines` come first; or what is `at`
// a place, with `n` lines picked there; `beside` is another log.
const WORDS = ["q", "level", "lines", "beside", "at", "n"];
const isNarrow = matchMedia("(max-width: 700px), (max-height: 500px)").matches;
const isDefault = (flag) => flag === "wrap" && isNarrow;

export const settings = {};

// Takes over what the address says; a token in it is kept and removed from there.
export function readSettings() {
  // In a fragment a plus is a plus; tokens are often base64.
  const said = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
  for (const flag of FLAGS) settings[flag] = said.has(flag) ? said.get(flag) === "1" : isDefault(flag);
  for (const word of WORDS) settings[word] = said.get(word) ?? "";
  settings.lines ||= new URLSearchParams(location.search).get("lines") ?? "";
  if (!said.has("token")) return;
  keep(said.get("token"));
  writeSettings();
}

// `isStep`: the browser's Back leads to what was before.
export function writeSettings(isStep = false) {
  const address = new URL(location);
  address.hash = fragment();
  if (address.href !== location.href) history[isStep ? "pushState" : "replaceState"](null, "", address);
}

// The settings as a fragment: what differs from the defaults. For `isOther`, another log, without a place.
export function fragment(isOther = false) {
  const parts = new URLSearchParams();
  for (const flag of FLAGS) if (settings[flag] !== isDefault(flag)) parts.set(flag, Number(settings[flag]));
  for (const word of WORDS.slice(0, isOther ? 4 : WORDS.length)) if (settings[word]) parts.set(word, settings[word]);
  return parts.size ? `#${parts.toString().replaceAll("+", "%20")}` : "";
}

const MOST = 1_000_000;

// How many lines come first, and what is to be said of it where that is not what was asked for.
export function firstLines() {
  const { lines } = settings;
  if (!lines) return { lines: 1000, remark: "" };
  if (lines === "all") return { lines: MOST, remark: "" };
  if (!/^\d+$/.test(lines)) return { lines: 1000, remark: `lines=${lines} is not a number: the last 1000 are shown` };
  return { lines: Math.min(lines, MOST), remark: lines > MOST ? "At most 1,000,000 lines are held" : "" };
}
