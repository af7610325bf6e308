// Which of the held lines match what is searched for, and which are shown where not all are. A worker looks at them.

import { LEVEL, MARK, MATCHES } from "../text/levels.js";
import { before, has, limit } from "./ids.js";

const script = new URL("scan_worker.js", import.meta.url);
// How long it may look at a block, in milliseconds.
const PATIENCE = 1000;

export class Scan {
  // The lines that match, and those that are shown, unless all are.
  found = [];
  shown = [];
  error = "";
  pattern = null;
  // `filter`, `level` and `fold`: which lines are shown; `invert`: those that do not match.
  #rule = {};
  // Entries of which the lines are folded, or, where all are folded, are not.
  #turned = new Set();
  // The whole lines from `first` up to `end` were looked at, and so many bytes of an unfinished one.
  #first = 0;
  #end = 0;
  #partial = 0;
  #worker;
  #job = null;

  // Calls `told()` when more is known.
  constructor(entries, told) {
    [this.entries, this.told] = [entries, told];
    // Already now: later the server may be gone.
    this.#begin();
  }

  get isFiltered() {
    const { filter, level, fold } = this.#rule;
    return (filter && this.pattern !== null) || level > 0 || fold || this.#turned.size > 0;
  }

  // Lines are missing that are not only folded.
  get isSelecting() {
    return (this.#rule.filter && this.pattern !== null) || this.#rule.level > 0;
  }

  get isDone() {
    return this.#next() === null;
  }

  // The pattern to mark in a line; null for none.
  patternIn(id) {
    return !this.#rule.invert && has(this.found, id) ? this.pattern : null;
  }

  // Looks for a text or a regular expression; capitals matter where it has some.
  search(rule) {
    const { q, regex, invert } = (this.#rule = { ...rule });
    const last = this.pattern;
    [this.pattern, this.error] = [null, ""];
    try {
      if (q) this.pattern = new RegExp(regex ? q : q.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), q === q.toLowerCase() ? "gi" : "g");
    } catch {
      this.error = "invalid expression";
    }
    const key = this.pattern && `${this.pattern} ${invert}`;
    if (this.pattern && (String(last) !== String(this.pattern) || key !== this.key)) this.restart();
    else this.#select();
    this.key = key;
  }

  restart(entries = this.entries) {
    if (entries !== this.entries) this.#turned.clear();
    this.entries = entries;
    [this.found, this.shown] = [[], []];
    const { first } = entries.store;
    [this.#first, this.#end, this.#partial] = [first, first, 0];
    this.scan();
  }

  close() {
    this.#worker.terminate();
  }

  // Folds an entry, or unfolds it.
  turn(id) {
    if (!this.#turned.delete(id)) this.#turned.add(id);
    this.#select();
  }

  isFolded(id) {
    return (this.#rule.fold ?? false) !== this.#turned.has(id);
  }

  // Lines are gone from the end, too.
  cut() {
    if (this.#job) this.#job.entries = null;
    const { end, partial } = this.entries.store;
    [this.#end, this.#partial] = [Math.min(this.#end, end - (partial > 0)), 0];
    this.#limit();
  }

  scan() {
    const { store } = this.entries;
    [this.#first, this.#end] = [Math.max(this.#first, store.first), Math.max(this.#end, store.first)];
    this.#limit();
    const from = this.#next();
    if (this.#job || from === null) return;
    const { bytes, isMark, ...chunk } = store.chunk(from);
    const { pattern, entries } = this;
    const isKnown = !isMark && entries.isLearnt(from);
    const mine = (this.#job = { ...chunk, from, isBack: from < this.#first, pattern, entries, isKnown });
    if (isMark) return this.#found([MARK]);
    this.#worker.postMessage({ bytes, pattern, isInverted: this.#rule.invert, isKnown }, [bytes.buffer]);
    // In two steps: between them a page that slept or was busy takes an answer that has come.
    setTimeout(() => setTimeout(() => this.#job === mine && this.#stop(), PATIENCE / 2), PATIENCE / 2);
  }

  // The line from which to look next; null where all is known.
  #next() {
    const { store } = this.entries;
    const whole = store.end - (store.partial > 0);
    if (this.#end < whole || (store.partial && store.partial !== this.#partial)) return this.#end;
    return this.#first > store.first ? store.blockBefore(this.#first) : null;
  }

  #begin() {
    // Loading may take its time.
    this.#job = {};
    this.#worker = new Worker(script, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#found(data);
  }

  #found(codes) {
    const done = this.#job;
    const { entries, pattern } = this;
    this.#job = null;
    if (done.pattern === pattern && done.entries === entries) {
      const { from, end, partial, isBack } = done;
      const had = entries.hasTimes;
      // The bytes behind the last newline are no line where they are none.
      if (codes[0] !== MARK) entries.learn(from, codes.slice(0, end - from + (partial > 0)), done.isKnown);
      if (isBack) this.#first = from;
      else [this.#end, this.#partial] = [end, partial];
      // That the log has times, and what begins an entry that goes on here, may not have been known before.
      if (had !== entries.hasTimes) this.#select();
      else this.#add(from, isBack ? this.#behind(end) : end + (partial > 0), isBack);
    }
    this.scan();
    this.told();
  }

  #behind(id) {
    while (id < this.#end && this.entries.goesOn(id)) id++;
    return id;
  }

  // Which lines are shown and match, anew, out of what is known.
  #select() {
    [this.found, this.shown] = [[], []];
    this.#add(this.#first, this.#end + (this.#partial > 0), false);
    this.scan();
  }

  #add(from, to, isBack) {
    const { entries, pattern } = this;
    const { filter, level, fold } = this.#rule;
    const { isFiltered } = this;
    const [found, shown] = [[], []];
    if (from >= to || (!pattern && !isFiltered)) return;
    let start = entries.start(from);
    let rank = entries.code(start) & LEVEL;
    for (let id = from; id < to; id++) {
      const code = entries.code(id);
      const isMark = code === MARK;
      if (!entries.goesOn(id)) [start, rank] = [id, code & LEVEL];
      const isFound = pattern && code & MATCHES;
      const isIn = isMark || ((!level || rank >= level) && (!filter || !pattern || isFound));
      const isShown = isIn && (id === start || !this.isFolded(start));
      if (isFound && (isIn || !isFiltered)) found.push(id);
      if (isFiltered && isShown) shown.push(id);
    }
    for (const [list, more] of [["found", found], ["shown", shown]]) {
      if (isBack) this[list] = more.concat(this[list].slice(before(this[list], to)));
      else {
        this[list].length = before(this[list], from);
        for (const id of more) this[list].push(id);
      }
    }
  }

  #limit() {
    const { first, end } = this.entries.store;
    for (const ids of [this.found, this.shown]) limit(ids, first, end);
  }

  #stop() {
    this.#worker.terminate();
    const isWanted = this.#job.pattern === this.pattern;
    this.#begin();
    if (!isWanted) return;
    [this.pattern, this.found, this.error] = [null, [], "expression is too slow"];
    this.#select();
    this.told();
  }
}
