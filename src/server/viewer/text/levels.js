// How grave a line is, and whether it begins an entry: the server's rule, which its own filter uses.

import { ESCAPE } from "./lines.js";
import { timeOf } from "./time.js";

export const LEVELS = ["", "trace", "debug", "info", "notice", "warn", "error", "fatal"];
export const ERROR = 6;
export const WARN = 5;
// A line's code: its level, and these.
export const LEVEL = 7;
export const STARTS = 8;
export const MATCHES = 16;
export const MARK = 32;

const REACH = 256;
const COLOURED = 4096;
const SPELLINGS = {
  trace: "trace verbose", debug: "debug dbg", info: "info inf information", notice: "notice", warn: "warn warning wrn",
  error: "error err severe", fatal: "fatal critical crit alert emerg panic",
};
const WORDS = new Map(LEVELS.flatMap((level, rank) => (SPELLINGS[level]?.split(" ") ?? []).map((word) => [word, rank])));
const WORD = new RegExp(`(?<![a-z\\x80-\\uffff])(?:${[...WORDS.keys()].join("|")})(?![a-z\\x80-\\uffff])`, "gi");
const KEYS = ["level", "lvl", "severity", "levelname", "log.level", "@l"];
const LOGFMT = /(?:^|\s)(level|lvl|severity|levelname|log\.level|@l|PRIORITY)=(?:"((?:[^"\\]|\\.)*)"?|([a-z\d]*))/i;
const SEVERITIES = [7, 7, 7, 6, 5, 4, 3, 2];
const KLOG = /^([IWEF])\d{4} /;
const LETTERS = { I: 3, W: 5, E: 6, F: 7 };
// A row of an access log whose answer says that the server failed.
const ACCESS = /(?:^|\s)HTTP\/[^ "]*" 5\d\d /;

export function classify(line) {
  const text = line.includes("\x1b") ? line.slice(0, COLOURED).replace(ESCAPE, "") : line;
  const time = timeOf(text);
  return levelOf(text, time?.end ?? 0) | (time && STARTS);
}

export function levelOf(text, end) {
  if (text.trimStart().startsWith("{")) return ofJson(text) || ofWord(text);
  const priority = /^<(\d{1,3})>/.exec(text)?.[1];
  if (priority < 192) return SEVERITIES[priority % 8];
  const letter = KLOG.exec(text)?.[1];
  if (letter) return LETTERS[letter];
  return ofLogfmt(text) || ofFirst(text.slice(0, end)) || ofWord(text.slice(end)) || (ACCESS.test(text) ? ERROR : 0);
}

function ofJson(text) {
  let object;
  try {
    object = JSON.parse(text);
  } catch {
    // It is none, or cut.
    return 0;
  }
  for (const [key, value] of Object.entries(object)) {
    const level = key === "log" ? ofValue(value?.level) : ofKey(key, value);
    if (level) return level;
  }
  return 0;
}

const ofKey = (key, value) => (key === "PRIORITY" ? (SEVERITIES[value] ?? 0) : KEYS.includes(key) ? ofValue(value) : 0);

// A word, or a number as bunyan and pino write it.
function ofValue(value) {
  if (typeof value === "object" || value === undefined) return 0;
  if (!/^\d+$/.test(value)) return WORDS.get(String(value).toLowerCase()) ?? 0;
  return value < 10 || value > 60 ? 0 : [1, 2, 3, 5, 6, 7][Math.floor(value / 10) - 1];
}

function ofLogfmt(text) {
  const found = text.includes("=") && LOGFMT.exec(text);
  return found ? ofKey(found[1], found[2] ?? found[3]) : 0;
}

// The line's first word where the time comes after it.
function ofFirst(before) {
  const word = before.split(/\s/, 1)[0].split(":").findLast(Boolean) ?? "";
  return WORDS.get((/^\[(.*)\]$/.exec(word)?.[1] ?? word).toLowerCase()) ?? 0;
}

// The first word behind the time that stands alone.
function ofWord(rest) {
  const head = rest.slice(0, REACH);
  for (const { 0: word, index } of head.matchAll(WORD)) {
    const after = rest.slice(index + word.length, index + word.length + 40);
    if (!/^[a-z\x80-\uffff]/i.test(after) && (word === word.toUpperCase() || isMarked(head.slice(0, index), after))) return WORDS.get(word.toLowerCase());
  }
  return 0;
}

// Whether a word in any case is meant as a level: within brackets, or before a colon or a bar.
function isMarked(before, after) {
  const next = after.trimStart()[0] ?? "";
  if (next && ":|".includes(next)) return true;
  const isClosed = /[\])>}]/.test(next);
  const isOpened = /[[(<{]\s*$/.test(before);
  const isOpen = /[[(<{][^[\](){}<>]*:$/.test(before);
  return (isClosed && (isOpened || isOpen)) || (isOpened && !/[a-z\x80-\uffff]/i.test(next));
}
