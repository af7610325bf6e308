// The settings: they live in the fragment of the page's address, so that a link shows the same thing.

import { keep } from "./token.js";

const FLAGS = ["wrap", "numbers", "times", "regex", "filter", "invert"];
const isNarrow = matchMedia("(max-width: 700px)").matches;
const defaults = { wrap: isNarrow, numbers: false, times: false, regex: false, filter: false, invert: false, q: "" };

/** As they are now. */
export const settings = { ...defaults };

/** How many lines come first: what the fragment or the query says. */
export function firstLines() {
  const parameters = [new URLSearchParams(location.hash.slice(1)), new URLSearchParams(location.search)];
  const lines = parameters.map((from) => from.get("lines")).find((value) => /^\d{1,7}$/.test(value ?? ""));
  return Math.min(Number(lines ?? 1000), 1_000_000);
}

/** Takes over what the fragment says; a token in it is kept and removed from there. */
export function readFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  // Tokens are often base64, in which a plus is no space.
  const token = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("token");
  if (token) keep(token);
  for (const flag of FLAGS) {
    settings[flag] = fragment.has(flag) ? fragment.get(flag) === "1" : defaults[flag];
  }
  settings.q = fragment.get("q") ?? "";
  if (fragment.has("token")) writeFragment();
}

/** Says the settings in the page's address. */
export function writeFragment() {
  const address = new URL(location);
  address.hash = fragment();
  history.replaceState(history.state, "", address);
}

/** The settings as a fragment: what differs from the defaults. */
export function fragment() {
  const parts = new URLSearchParams();
  for (const flag of FLAGS) {
    if (settings[flag] !== defaults[flag]) parts.set(flag, settings[flag] ? "1" : "0");
  }
  if (settings.q) parts.set("q", settings.q);
  const lines = new URLSearchParams(location.hash.slice(1)).get("lines");
  if (lines) parts.set("lines", lines);
  const text = parts.toString();
  return text ? `#${text}` : "";
}
