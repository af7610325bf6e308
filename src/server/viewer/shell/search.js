// Searching one log: among the lines that are held, and on the server beyond them.

import { Beyond, exactly } from "../log/beyond.js";
import { before, has } from "../log/ids.js";
import { page } from "../log/pages.js";
import { ERROR, LEVEL, LEVELS, classify } from "../text/levels.js";
import { settings } from "./address.js";
import { net } from "./net.js";
import { bytes } from "./states.js";

const number = new Intl.NumberFormat("en").format;
const lines = (count) => `${number(count)} ${count === 1 ? "line" : "lines"}`;

export class Search {
  constructor(reader) {
    this.reader = reader;
    this.restart();
  }

  // Another log, place or search: nothing is known beyond.
  restart() {
    this.beyond?.stop();
    this.stop?.abort();
    const { reader } = this;
    this.beyond = new Beyond(net, reader.log, criteria(), () => reader.changed());
    [this.stop, this.looking] = [null, null];
  }

  get isShown() {
    return this.reader.scan.isSelecting;
  }

  // The levels of the lines beyond, as they stand there.
  level(id) {
    return classify(this.beyond.store.line(id).text) & LEVEL;
  }

  // Where the lines that are held begin, for the server.
  get #anchor() {
    const { blocks, anchor } = this.reader.store;
    if (!anchor?.over) return anchor;
    const ends = blocks[0].ends.filter((end) => end <= anchor.over);
    return { ...anchor, lines: ends.length + (ends.at(-1) !== anchor.over) };
  }

  all() {
    if (!this.isShown) {
      settings.filter = true;
      this.reader.hooks.apply();
    }
    this.beyond.run(this.#anchor);
  }

  // How many lines match.
  get count() {
    return this.reader.scan.found.length + (this.isShown ? this.beyond.count : 0);
  }

  get place() {
    const { scan, current } = this.reader;
    return has(scan.found, current) ? before(scan.found, current) + 1 + this.count - scan.found.length : null;
  }

  // What was searched, and what can be done about it.
  say() {
    const { reader, beyond } = this;
    const { scan, store, states, log, size } = reader;
    const isActive = scan.pattern !== null || scan.isSelecting;
    const all = `Search all${size ? ` ${bytes(size)}` : ""}`;
    const ways = { "": { [beyond.count ? "Go on" : all]: () => this.all() }, running: { Stop: () => beyond.stop() } }[beyond.state] ?? {};
    const isEmpty = log !== "" && reader.lines.count === 0;
    states.empty(isEmpty ? this.#why() : "", isEmpty && isActive ? { ...(beyond.state ? {} : ways), Clear: () => reader.hooks.clear() } : {});
    if (this.looking) return states.scope(`Looking for a match, ${this.looking.text}`, { Stop: () => this.stop.abort() }, this.looking.share);
    if (!isActive || !log || (isEmpty && beyond.state !== "running")) return states.scope("");
    const count = `${number(scan.found.length + (scan.pattern ? 0 : scan.shown.length))} in the ${lines(store.end - store.first)} held`;
    const older = this.isShown && (beyond.state || beyond.count) ? `, ${number(beyond.count)} older` : "";
    const looked = beyond.total ? `, ${bytes(beyond.looked)} of ${bytes(beyond.total)}` : "";
    const end = { running: ` so far${looked}`, done: ": all is searched", full: ": no more can be held", failed: ": the search failed" };
    const share = beyond.total ? Math.min(1, beyond.looked / beyond.total) : null;
    states.scope(`${count}${older}${end[beyond.state] ?? ""}`, ways, beyond.state === "running" ? share : undefined);
  }

  #why() {
    const { scan, store, state } = this.reader;
    const count = store.end - store.first;
    if (scan.isSelecting && !scan.isDone) return "Searching…";
    if (scan.isSelecting && count) return `Nothing matches in ${this.beyond.state === "done" ? "the whole log" : `the ${lines(count)} held`}.`;
    return count || state[0] !== "live" ? "" : "The log is empty. New lines appear here.";
  }

  // The next or the previous match: among the lines that are held, then on the server, then round at the ends.
  async jump(step) {
    const { reader } = this;
    const { found } = reader.scan;
    const { current } = reader;
    const from = this.#from(step);
    const index = before(found, from) + (step < 0 ? -1 : has(found, current) ? 1 : 0);
    if (index >= 0 && index < found.length) return this.show(found[index]);
    if (!this.isShown && reader.scan.pattern && (await this.beyondHeld(step, criteria()))) return;
    if (found.length) this.show(found.at(step < 0 ? -1 : 0));
  }

  // The next or the previous error.
  async error(step) {
    const { reader } = this;
    const id = reader.entries.error(this.#from(step) - (step > 0 && reader.current === null), step);
    if (id !== null) return this.show(id);
    if (!(await this.beyondHeld(step, { level: LEVELS[ERROR] }))) reader.states.note(step < 0 ? "No earlier error" : "No later error");
  }

  // Where to look from: the match that was jumped to, or else what is on screen.
  #from(step) {
    const { current, view, store } = this.reader;
    return current ?? (step < 0 && view.isFollowing ? store.end : view.top.id);
  }

  show(id) {
    const { reader } = this;
    reader.current = id;
    reader.view.show(id);
    reader.hooks.changed();
  }

  // Looks beyond the lines that are held, and opens what is found in its context.
  async beyondHeld(step, filter) {
    const { reader } = this;
    const place = step < 0 ? this.#anchor : reader.paging.newer && { cursor: reader.paging.newer, over: 0 };
    if (!place) return false;
    this.stop?.abort();
    const stop = (this.stop = new AbortController());
    const progress = ({ bytes: looked, total }) => {
      this.looking = { text: `${bytes(looked)}${total ? ` of ${bytes(total)}` : ""}`, share: total ? looked / total : null };
      reader.view.draw();
    };
    progress({ bytes: 0, total: null });
    const cursor = await exactly(net, reader.log, place);
    const found = await page(net, reader.log, { ...filter, ...(step < 0 ? { before: cursor, lines: 1, history: 1 } : { cursor, max: 1 }) }, progress, stop.signal);
    if (this.stop !== stop) return true;
    [this.looking, this.stop] = [null, null];
    reader.view.draw();
    if (stop.signal.aborted) return true;
    if (!found.isWhole || !found.size) return false;
    const at = step < 0 ? `${found.from}.0` : (await page(net, reader.log, { before: found.to, lines: 1 })).from;
    reader.hooks.go(at);
    return true;
  }

  // Shows a line among those around it.
  async context(id) {
    const { reader, beyond } = this;
    const at = reader.lines.isFar(id) ? await beyond.place(reader.lines.beyond(id)) : reader.place(id);
    if (at) reader.hooks.go(at, true);
  }
}

// By what the server selects.
function criteria() {
  const { q, regex, invert, level } = settings;
  const grep = q ? { [invert ? "exclude" : "grep"]: q, fixed: Number(!regex) } : {};
  return level ? { ...grep, level } : grep;
}
