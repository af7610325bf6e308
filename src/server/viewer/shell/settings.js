// The settings: they live in the fragment of the page's address, so that a link shows the same thing.

import { keep } from "./token.js";

export const FLAGS = ["wrap", "numbers", "times", "regex", "filter", "invert"];
const isNarrow = matchMedia("(max-width: 700px)").matches;
const isDefault = (flag) => flag === "wrap" && isNarrow;

// The flags; `q` is searched for; so many `lines` come first, a text or null.
export const settings = {};

// Takes over what the address says; a token in it is kept and removed from there.
export function readSettings() {
  // In a fragment a plus is a plus; tokens are often base64.
  const said = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
  for (const flag of FLAGS) settings[flag] = said.has(flag) ? said.get(flag) === "1" : isDefault(flag);
  settings.q = said.get("q") ?? "";
  settings.lines = said.get("lines") ?? new URLSearchParams(location.search).get("lines");
  if (!said.has("token")) return;
  keep(said.get("token"));
  writeSettings();
}

export function writeSettings() {
  const address = new URL(location);
  address.hash = fragment();
  history.replaceState(null, "", address);
}

// The settings as a fragment: what differs from the defaults.
export function fragment() {
  const parts = new URLSearchParams();
  for (const flag of FLAGS) if (settings[flag] !== isDefault(flag)) parts.set(flag, Number(settings[flag]));
  for (const name of ["q", "lines"]) if (settings[name]) parts.set(name, settings[name]);
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
