// The elements of the lines that are on screen.

import { arrange } from "../shell/dom.js";

export class Rows {
  #known = new Map();

  constructor(parent, lines) {
    [this.parent, this.lines] = [parent, lines];
  }

  clear() {
    this.#known.clear();
  }

  get(id) {
    return this.#known.get(id)?.element;
  }

  // Whether a line is on screen, and not as the first or the last one.
  isWithin(id) {
    return [...this.#known.keys()].slice(1, -1).includes(id);
  }

  fill(from, to) {
    const old = this.#known;
    this.#known = new Map();
    for (let index = from; index < to; index++) {
      const id = this.lines.at(index);
      const key = this.lines.key(id);
      const known = old.get(id);
      this.#known.set(id, known?.key === key ? known : { key, element: this.lines.element(id) });
      this.#known.get(id).element.dataset.line = id;
    }
    arrange(this.parent, [...this.#known.values()].map(({ element }) => element));
  }

  // The first line that is on screen where all are moved by so much, and how much of it is above.
  top(shift) {
    for (const [id, { element }] of this.#known) {
      const start = element.offsetTop + shift;
      if (start + element.offsetHeight > 0.5) return { id, offset: -start };
    }
    return null;
  }
}
