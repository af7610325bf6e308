// Lines before those that are held which match: the server looks for them, the newest first. Each request asks for more of
// them than the one before, so that the first come at once and many in few requests.

import { join, page } from "./pages.js";
import { placeOf } from "./place.js";
import { Store } from "./store.js";

const MOST_AT_ONCE = 1000;
const MOST = 100_000;

export class Beyond {
  store = new Store();
  // Bytes that were looked at, and of how many; null where that is not known.
  looked = 0;
  total = null;
  // "": not begun, or stopped; "running", "done", "full", "failed".
  state = "";
  #next = null;
  #stop = null;

  // `filter`: the parameters by which the server selects; `told()` when something has changed.
  constructor(net, log, filter, told) {
    Object.assign(this, { net, log, filter, told });
  }

  get count() {
    return this.store.end - this.store.first;
  }

  // Looks for them before an anchor, or goes on where it was stopped.
  async run(anchor) {
    if (this.state) return;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#say("running");
    this.#next ??= await exactly(this.net, this.log, anchor);
    for (let lines = 1; this.state === "running"; lines = Math.min(MOST_AT_ONCE, lines * 4)) {
      const found = await page(this.net, this.log, { before: this.#next, lines, history: 1, ...this.filter }, (event) => this.#progress(event), signal);
      if (signal.aborted) return;
      if (!found.isWhole || !found.from) return this.#say("failed");
      if (found.size) this.store.prepend(await join(found), found.from);
      this.#next = found.from;
      [this.#before, this.looked] = [this.looked, this.looked];
      if (found.lines < lines) this.#say("done");
      else if (this.count >= MOST) this.#say("full");
      this.told();
    }
  }

  // The cursor of a line: first that of its end is asked for, with the same filter, then where the line before that begins.
  async place(id) {
    const { first, ends } = this.store.blockOf(id);
    const [cursor, count] = placeOf(this.store, id).split(".");
    const end = Number(count) + ends[id - first] - (ends[id - first - 1] ?? 0);
    const { from } = await page(this.net, this.log, { cursor: `${cursor}.${end}`, lines: 0, ...this.filter });
    return (await page(this.net, this.log, { before: from, lines: 1 })).from;
  }

  stop() {
    this.#stop?.abort();
    if (this.state === "running") this.#say("");
  }

  #before = 0;

  #progress({ bytes, total }) {
    this.total ??= total;
    this.looked = this.total === null ? this.#before + bytes : this.total - total + bytes;
    this.told();
  }

  #say(state) {
    this.state = state;
    this.told();
  }
}

// The cursor of an anchor itself, which lies `over` bytes before another one.
export async function exactly(net, log, { cursor, over, lines }) {
  return over ? (await page(net, log, { before: cursor, lines })).from : cursor;
}
