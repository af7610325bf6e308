// Which lines are shown, in their order: those that are held or some of them, and before them those that a search found
// beyond. The numbers of the latter are far below.

import { before } from "../log/ids.js";

const FAR = 1e12;

export class Lines {
  constructor(reader) {
    this.reader = reader;
  }

  isFar = (id) => id < -FAR / 2;
  // The number of such a line where it was found.
  beyond = (id) => id + FAR;

  // How many come from beyond.
  get #far() {
    return this.reader.search.isShown ? this.reader.search.beyond.count : 0;
  }

  get #farFirst() {
    return this.reader.search.beyond.store.first - FAR;
  }

  get count() {
    const { scan, store, end } = this.reader;
    return this.#far + (scan.isFiltered ? before(scan.shown, end) : Math.max(0, end - store.first));
  }

  at(index) {
    const { scan, store } = this.reader;
    if (index < this.#far) return this.#farFirst + index;
    return scan.isFiltered ? scan.shown[index - this.#far] : store.first + index - this.#far;
  }

  index(id) {
    const { scan, store } = this.reader;
    if (this.isFar(id)) return Math.max(0, Math.min(this.#far, id - this.#farFirst));
    return this.#far + (scan.isFiltered ? before(scan.shown, id) : id - store.first);
  }

  // Those that are there now, whatever comes before them.
  ids(from, to) {
    const { scan, store } = this.reader;
    if (scan.isFiltered || this.#far) return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => this.at(from + index));
    return range(store.first + from, store.first + to);
  }

  // What holds a line, and its number there.
  #in(id) {
    return this.isFar(id) ? [this.reader.search.beyond.store, this.beyond(id)] : [this.reader.store, id];
  }

  line(id) {
    const [store, number] = this.#in(id);
    return store.line(number);
  }

  text(id) {
    const [store, number] = this.#in(id);
    return store.text(number);
  }

  number(id) {
    return this.isFar(id) ? null : this.reader.store.numbering.number(id);
  }

  pattern(id) {
    const { scan } = this.reader;
    return this.isFar(id) ? scan.pattern : scan.patternIn(id);
  }

  // How a line looks.
  look(id) {
    const { entries, scan, current, picked, search } = this.reader;
    const isPicked = picked !== null && id >= picked[0] && id <= picked[1];
    const look = { level: 0, current: id === current, picked: isPicked, on: false, folded: null };
    if (this.isFar(id)) return { ...look, level: search.level(this.beyond(id)) };
    look.level = entries.level(id);
    look.on = entries.goesOn(id);
    if (look.on || !entries.goesOn(id + 1)) return look;
    let last = id + 1;
    if (scan.isFolded(id)) while (last < id + 500 && entries.goesOn(last)) last++;
    return { ...look, folded: last - id - 1 };
  }
}

function* range(from, to) {
  for (let id = from; id <= to; id++) yield id;
}
