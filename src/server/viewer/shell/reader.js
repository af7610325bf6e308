// One log in a pane: what is held of it, how it comes, what is shown of it.

import { before } from "../log/ids.js";
import { Entries } from "../log/entries.js";
import { placeOf } from "../log/place.js";
import { Scan } from "../log/scan.js";
import { Store } from "../log/store.js";
import { follow } from "../log/stream.js";
import { styleBefore } from "../text/carried.js";
import { View } from "../view/pane.js";
import { row } from "../view/row.js";
import { Ruler } from "../view/ruler.js";
import { Selection } from "../view/selection.js";
import { firstLines, settings } from "./address.js";
import { Lines } from "./lines.js";
import { net } from "./net.js";
import { Paging } from "./paging.js";
import { Search } from "./search.js";
import { States, markText } from "./states.js";

export class Reader {
  log = "";
  store = new Store();
  entries = new Entries(this.store);
  stream = null;
  size = null;
  // What the stream is like: a word, and a text.
  state = ["idle", "Choose a log"];
  // While paused, the number after the last line that is shown.
  frozen = null;
  // The match that was jumped to, and the lines that are picked.
  current = null;
  picked = null;
  // The number after the last line when the end was left.
  #left = 0;
  // So much is being taken along.
  #taken = 0;
  // Lines that came in this second, and in the last one.
  #came = 0;
  rate = 0;

  // `hooks`: `changed()` when something is to be said anew, `moved()` when the place that is read is another one.
  constructor(frame, hooks) {
    [this.frame, this.hooks] = [frame, hooks];
    this.states = new States(frame);
    this.paging = new Paging(this);
    this.scan = new Scan(this.entries, () => this.changed());
    this.search = new Search(this);
    this.lines = new Lines(this);
    this.view = new View(frame, drawn(this), {
      following: (is) => this.#following(is),
      painted: (...near) => this.#painted(...near),
      mayFollow: () => this.paging.newer === null,
    });
    this.selection = new Selection(frame);
    this.ruler = new Ruler(frame, this);
    frame.querySelector(".new").onclick = () => this.toEnd();
    this.timer = setInterval(() => {
      [this.rate, this.#came] = [this.#came, 0];
      if (this.log) hooks.changed();
    }, 1000);
  }

  // New lines are shown as they come.
  get isAtEnd() {
    return this.view.isFollowing && this.frozen === null;
  }

  get end() {
    return Math.min(this.frozen ?? Infinity, this.store.end);
  }

  get fresh() {
    const from = this.frozen ?? this.#left;
    const count = this.scan.isFiltered ? this.scan.shown.length - before(this.scan.shown, from) : this.store.end - from;
    return Math.max(0, count - this.store.numbering.marksBetween(from, this.store.end));
  }

  // Shows a log: its end, or what is there `at` a place, with so many lines picked, or `since` a time; or nothing. Whether
  // that could be done.
  async watch(log, { at, since, count = 0 } = {}) {
    this.stream?.close();
    if (log !== this.log) this.size = null;
    [this.log, this.stream, this.store] = [log, null, new Store()];
    [this.entries, this.paging] = [new Entries(this.store), new Paging(this)];
    [this.frozen, this.#left, this.current, this.picked] = [null, 0, null, null];
    this.search.restart();
    this.selection.clear();
    this.scan.restart(this.entries);
    this.view.redraw();
    this.view.follow();
    this.told("idle", log ? "Connecting" : "Choose a log");
    if (!log) return true;
    if (at || since) {
      const isOpen = await this.paging.open(at ? { cursor: at } : { since });
      if (isOpen && (count || settings.q)) this.current = this.store.first;
      if (isOpen && count) this.pick(this.store.first, this.store.first + count - 1);
      return isOpen;
    }
    const { lines, remark } = firstLines();
    this.states.note(remark);
    this.live({ lines });
    return true;
  }

  close() {
    this.watch("");
    clearInterval(this.timer);
    this.scan.close();
    this.frame.remove();
  }

  live(request) {
    this.stream = follow(net, this.log, request, {
      bytes: (received) => {
        this.add(received);
        if (this.store.isHeld && this.store.isFull) this.stream.hold();
      },
      event: (event) => this.event(event, request),
      state: (...state) => this.told(...state),
      heard() {},
    });
  }

  add(bytes, now) {
    const { end, expected } = this.store;
    this.store.append(bytes, now);
    if (!expected && now === undefined) this.#came += this.store.end - end;
    this.changed();
  }

  // What became of the log is drawn where it happened.
  event({ event: name, cursor, size, reason, bytes: missing }, { lines } = {}) {
    if (name === "open") {
      this.store.expect(lines, (this.size = size));
      this.changed();
    }
    if (name === "open" || name === "cursor") return this.store.cover(cursor);
    const text = markText(name, missing, reason);
    if (!text) return;
    this.store.mark(text, cursor, ["rotated", "truncated"].includes(name) ? 1 : null);
    this.changed();
  }

  told(...state) {
    this.state = state;
    this.hooks.changed();
  }

  changed() {
    this.scan.scan();
    this.view.draw();
    this.hooks.changed();
  }

  #painted(isNearTop, isNearEnd) {
    // A filter does not load what it does not show: the server searches that.
    if (isNearTop && !this.scan.isSelecting) this.paging.before();
    if (isNearEnd) this.paging.after();
    this.selection.paint();
    this.states.away(this.log && !this.isAtEnd, this.paging.newer === null ? this.fresh : 0, this.stream?.isHeld);
    this.search.say();
    this.ruler.draw();
    this.hooks.moved();
  }

  #following(is) {
    if (!is) this.#left = this.end;
    this.read();
  }

  // What somebody reads is kept: where that fills the page, the stream is held until the end is followed again.
  read() {
    this.store.isHeld = !this.isAtEnd || this.#taken > 0;
    if (!this.store.isHeld) this.stream?.goOn();
    this.hooks.changed();
  }

  // What is taken along is kept, too.
  keep(task) {
    this.#taken++;
    this.read();
    return task.finally(() => (this.#taken--, this.read()));
  }

  // Follows the end, or stops at what is shown.
  turn() {
    if (!this.isAtEnd) return this.toEnd();
    this.frozen = this.store.end;
    this.read();
    this.view.draw();
  }

  toEnd() {
    if (this.paging.newer !== null || !this.stream) return this.watch(this.log);
    this.frozen = null;
    this.view.follow();
    this.read();
  }

  pick(from, to) {
    this.picked = [from, Math.min(to, this.store.end - 1)];
    this.view.draw();
    this.hooks.moved();
  }

  // Where a line is found again; null where that is not known.
  place(id) {
    return this.lines.isFar(id) || id < this.store.first || id >= this.store.end ? null : placeOf(this.store, id);
  }
}

// What the pane draws.
function drawn(reader) {
  const { lines } = reader;
  return {
    get count() {
      return lines.count;
    },
    at: (index) => lines.at(index),
    index: (id) => lines.index(id),
    key: (id) => JSON.stringify([lines.line(id).state, lines.look(id), String(lines.pattern(id))]),
    element: (id) => row(lines.line(id), lines.number(id), lines.isFar(id) ? {} : styleBefore(reader.store, id), lines.pattern(id), lines.look(id)),
  };
}
