// What is searched for, and which of the held lines match. A worker looks for them.

const script = new URL("scan_worker.js", import.meta.url);
// How long it may look at a block, in milliseconds.
const PATIENCE = 1000;

// The numbers of the lines that match, ascending.
export let ids = [];
export let error = "";
let store;
let changed;
let pattern = null;
let isInverted = false;
let withMarks = false;
// The whole lines from `first` up to `end` were searched, and so many bytes of an unfinished one.
let [first, end, partial] = [0, 0, 0];
let worker;
let job = null;

// Calls `told()` when more is known.
export function setUp(searched, told) {
  [store, changed] = [searched, told];
  // Already now: later the server may be gone.
  start();
}

export const isActive = () => pattern !== null;
export const isDone = () => next() === null;
export const has = (id) => ids[before(id)] === id;

// The pattern to mark in a line; null for none.
export const patternIn = (id) => (!isInverted && has(id) ? pattern : null);

// Looks for a text or a regular expression; capitals matter where it has some. A filter leaves the marks in.
export function search({ q, regex, invert, filter }) {
  [pattern, error, isInverted, withMarks] = [null, "", invert, filter];
  try {
    if (q) pattern = new RegExp(regex ? q : q.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), q === q.toLowerCase() ? "gi" : "g");
  } catch {
    error = "invalid expression";
  }
  restart(store);
}

export function restart(other) {
  store = other;
  ids = [];
  [first, end, partial] = [store.first, store.first, 0];
  scan();
}

// Lines are gone from the end, too.
export function cut() {
  if (job) job.store = null;
  ids.length = before(store.end);
  [end, partial] = [Math.min(end, store.end - (store.partial > 0)), 0];
}

export function scan() {
  [first, end] = [Math.max(first, store.first), Math.max(end, store.first)];
  ids.splice(0, before(store.first));
  const from = next();
  if (!pattern || job || from === null) return;
  const { bytes, isMark, ...chunk } = store.chunk(from);
  const mine = (job = { ...chunk, from, isBack: from < first, pattern, store });
  if (isMark) return found(withMarks ? [0] : []);
  worker.postMessage({ bytes, pattern, isInverted }, [bytes.buffer]);
  // In two steps: between them a page that slept or was busy takes an answer that has come.
  setTimeout(() => setTimeout(() => job === mine && stop(), PATIENCE / 2), PATIENCE / 2);
}

// The line from which to search next; null where all is searched.
function next() {
  const whole = store.end - (store.partial > 0);
  if (end < whole || (store.partial && store.partial !== partial)) return end;
  return first > store.first ? store.blockBefore(first) : null;
}

function start() {
  // Loading may take its time.
  job = {};
  worker = new Worker(script, { type: "module" });
  worker.onmessage = ({ data }) => found(data);
}

function found(indexes) {
  const done = job;
  job = null;
  if (done.pattern === pattern && done.store === store) {
    const numbers = indexes.map((index) => done.from + index);
    if (done.isBack) {
      ids = numbers.concat(ids);
      first = done.from;
    } else {
      ids.length = before(done.from);
      for (const id of numbers) ids.push(id);
      ({ end, partial } = done);
    }
  }
  scan();
  changed();
}

function stop() {
  worker.terminate();
  const isWanted = job.pattern === pattern;
  start();
  if (!isWanted) return;
  [pattern, ids, error] = [null, [], "expression is too slow"];
  changed();
}

// How many matches lie before a line.
export function before(id) {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
