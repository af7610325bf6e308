// One line as an element: number, time, coloured text, marked matches, the tint of its level.

import { runs } from "../text/ansi.js";
import { make } from "../shell/dom.js";
import { settings } from "../shell/address.js";
import { ERROR, LEVELS, WARN } from "../text/levels.js";
import { matches } from "../text/lines.js";

export const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

const dark = matchMedia("(prefers-color-scheme: dark)");

// `number` may be null; `style` is what the lines before left on; `look` has `level`, `isPicked`, `isCurrent`, `goesOn`,
// `folded`: how many lines are folded into this one, or 0 where they are shown, or null for no lines.
export function row(line, number, style, pattern, look) {
  const parts = runs(line.text, line.isMark ? {} : style, dark.matches);
  const shown = parts.map((part) => part.text).join("");
  const element = make("div", `row ${line.isMark ? "mark" : tint(look.level)}`);
  for (const name of ["current", "picked", "on"]) element.classList.toggle(name, Boolean(look[name]));
  element.append(make("span", "gutter"));
  if (settings.numbers) element.append(make("span", "number", line.isMark || number === null ? " " : `${number} `));
  if (settings.times) element.append(make("span", "time", line.time ? `${clock.format(line.time)} ` : " "));
  const text = make("span", "text");
  fill(text, parts, pattern && !line.isMark ? matches(shown, pattern) : []);
  element.append(text);
  if (look.folded !== null) element.append(make("span", "fold", look.folded ? ` ▸ ${look.folded} more` : " ▾"));
  if (line.size) element.append(make("span", "rest", ` … ${line.size} bytes in all`));
  return element;
}

const tint = (level) => (level >= ERROR ? "error" : level === WARN ? "warn" : level && level < LEVELS.indexOf("info") ? "debug" : "");

// Puts the parts into an element, cut where a match begins or ends.
function fill(parent, parts, ranges) {
  let [at, next] = [0, 0];
  for (const { text, style } of parts) {
    const end = at + text.length;
    for (let from = at; from < end; ) {
      while (ranges[next]?.end <= from) next++;
      const range = ranges[next];
      const isMarked = range && range.start <= from;
      const to = Math.min(end, (isMarked ? range.end : range?.start) ?? end);
      parent.append(piece(text.slice(from - at, to - at), style, isMarked));
      from = to;
    }
    at = end;
  }
}

function piece(text, style, isMarked) {
  if (isMarked) return make("mark", "", text);
  const element = style ? make("span", "", text) : document.createTextNode(text);
  if (style) Object.assign(element.style, style);
  return element;
}
