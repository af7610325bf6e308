// One line as an element: number, time, coloured text, marked matches, the tint of its level.

import { runs } from "./ansi.js";

/** Of a line with more colours or matches the rest is plain: what is on screen stays a few thousand nodes. */
const MAX_RUNS = 60;
const LEVEL = /\b(?:(FATAL|CRITICAL|CRIT|EMERG|ALERT|PANIC|ERROR|ERR|SEVERE)|(WARN|WARNING)|(DEBUG|TRACE))\b/;
const LEVEL_WITHIN = 200;
const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** The element of a line, as the store gives it. */
export function row(line, number, { numbers, times, pattern, isCurrent }) {
  const element = document.createElement("div");
  const parts = runs(line.text, MAX_RUNS);
  const shown = parts.map((part) => part.text).join("");
  element.className = line.isMark ? "row mark" : `row${level(shown)}`;
  if (isCurrent) element.classList.add("current");
  if (numbers) element.append(aside("number", line.isMark ? "" : number), " ");
  if (times) element.append(aside("time", line.isMark || Number.isNaN(line.time) || !line.time ? "" : clock.format(line.time)), " ");
  const text = document.createElement("span");
  text.className = "text";
  fill(text, parts, pattern && !line.isMark ? matches(shown, pattern) : []);
  element.append(text);
  if (line.more) element.append(aside("rest", ` … ${line.more} more bytes`));
  return element;
}

function level(text) {
  const found = LEVEL.exec(text.length > LEVEL_WITHIN ? text.slice(0, LEVEL_WITHIN) : text);
  if (!found) return "";
  return found[1] ? " error" : found[2] ? " warn" : " debug";
}

function aside(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

function fill(parent, parts, ranges) {
  let [at, next] = [0, 0];
  for (const { text, style } of parts) {
    const end = at + text.length;
    for (let from = at; from < end; ) {
      while (ranges[next]?.end <= from) next++;
      const range = ranges[next];
      const isMarked = range && range.start <= from;
      const to = Math.min(end, range ? (isMarked ? range.end : range.start) : end);
      parent.append(piece(text.slice(from - at, to - at), style, isMarked));
      from = to;
    }
    at = end;
  }
}

function matches(text, pattern) {
  const ranges = [];
  pattern.lastIndex = 0;
  for (const match of text.matchAll(pattern)) {
    if (match[0]) ranges.push({ start: match.index, end: match.index + match[0].length });
    if (ranges.length === MAX_RUNS) break;
  }
  return ranges;
}

function piece(text, style, isMarked) {
  if (!style && !isMarked) return document.createTextNode(text);
  const element = document.createElement(isMarked ? "mark" : "span");
  element.textContent = text;
  if (!isMarked) Object.assign(element.style, style);
  return element;
}
