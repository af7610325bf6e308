// One line as an element: number, time, coloured text, marked matches, the tint of its level.

import { runs } from "../text/ansi.js";
import { make } from "../shell/dom.js";
import { settings } from "../shell/settings.js";
import { matches } from "../text/lines.js";

const LEVEL = /\b(?:(FATAL|CRITICAL|CRIT|EMERG|ALERT|PANIC|ERROR|ERR|SEVERE)|(WARN|WARNING)|(DEBUG|TRACE))\b/;
const LEVEL_WITHIN = 200;
export const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

// `number` may be null; `style` is what the lines before left on.
export function row(line, number, style, pattern, isCurrent) {
  const parts = runs(line.text, line.isMark ? {} : style);
  const shown = parts.map((part) => part.text).join("");
  const element = make("div", `row ${line.isMark ? "mark" : level(shown)} ${isCurrent ? "current" : ""}`);
  if (settings.numbers) element.append(make("span", "number", line.isMark || number === null ? " " : `${number} `));
  if (settings.times) element.append(make("span", "time", line.time ? `${clock.format(line.time)} ` : " "));
  const text = make("span", "text");
  fill(text, parts, pattern && !line.isMark ? matches(shown, pattern) : []);
  element.append(text);
  if (line.size) element.append(make("span", "rest", ` … ${line.size} bytes in all`));
  return element;
}

function level(text) {
  const found = LEVEL.exec(text.slice(0, LEVEL_WITHIN)) ?? [];
  return ["error", "warn", "debug"].find((_, index) => found[index + 1]) ?? "";
}

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
