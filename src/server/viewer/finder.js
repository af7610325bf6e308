// What is searched for, and which of the held lines match. It works in slices of a few milliseconds, so that a million
// lines freeze nothing.

import { plain } from "./ansi.js";

const SLICE = 8;

export class Finder {
  /** The numbers of the lines that match, ascending. */
  ids = [];
  /** Why the search is none. */
  error = "";
  #store;
  #changed;
  #pattern = null;
  #isInverted = false;
  #marks = false;
  /** The whole lines from `#first` up to `#end` were searched. */
  #first = 0;
  #end = 0;
  /** The number of an unfinished line that is listed. */
  #unfinished = -1;
  #timer = 0;

  constructor(store, changed) {
    this.#store = store;
    this.#changed = changed;
  }

  /** The pattern to mark in lines; null for none. */
  get pattern() {
    return this.#isInverted ? null : this.#pattern;
  }

  get isActive() {
    return this.#pattern !== null;
  }

  get isDone() {
    return this.#first <= this.#store.first && this.#end >= this.#store.whole;
  }

  /** Looks for a text or a regular expression; capitals matter where it has some. `marks`: list marks, too. */
  set({ q, regex, invert, marks }) {
    this.error = "";
    try {
      this.#pattern = q ? new RegExp(regex ? q : escape(q), q === q.toLowerCase() ? "gi" : "g") : null;
    } catch (error) {
      this.#pattern = /[]/g;
      this.error = error.message.replace(/^Invalid regular expression: /, "");
    }
    [this.#isInverted, this.#marks] = [invert, marks];
    this.restart(this.#store);
  }

  restart(store) {
    this.#store = store;
    this.ids = [];
    this.#first = this.#end = store.first;
    this.#unfinished = -1;
    this.scan();
  }

  /** Searches what has come; goes on later where that takes long. */
  scan() {
    clearTimeout(this.#timer);
    if (!this.#pattern) return;
    const until = performance.now() + SLICE;
    this.#forget();
    while (this.#end < this.#store.whole && performance.now() < until) this.#searchOn();
    while (this.#first > this.#store.first && performance.now() < until) this.#searchBack();
    if (this.isDone) this.#searchUnfinished();
    else this.#timer = setTimeout(() => this.scan());
    this.#changed();
  }

  #forget() {
    if (this.#unfinished >= 0 && this.ids.at(-1) === this.#unfinished) this.ids.pop();
    this.#unfinished = -1;
    if (this.#first >= this.#store.first) return;
    this.#first = this.#store.first;
    this.#end = Math.max(this.#end, this.#first);
    this.ids.splice(0, lowerBound(this.ids, this.#first));
  }

  #searchOn() {
    const texts = this.#store.texts(this.#end);
    texts.forEach((text, index) => this.#matches(text) && this.ids.push(this.#end + index));
    this.#end += texts.length;
  }

  #searchBack() {
    const from = this.#store.blockBefore(this.#first);
    const found = [];
    this.#store.texts(from).forEach((text, index) => this.#matches(text) && found.push(from + index));
    this.ids = found.concat(this.ids);
    this.#first = from;
  }

  #searchUnfinished() {
    const number = this.#store.whole;
    if (number === this.#store.end || !this.#matches(this.#store.line(number).text)) return;
    this.ids.push(number);
    this.#unfinished = number;
  }

  #matches(text) {
    if (text === null) return this.#marks;
    this.#pattern.lastIndex = 0;
    return this.#pattern.test(plain(text)) !== this.#isInverted;
  }
}

/** The index of the first that is not less. */
export function lowerBound(numbers, number) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
