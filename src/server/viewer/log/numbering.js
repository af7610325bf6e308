// Which number a line has in its file, or among the lines that came; and which lines are marks.

export class Numbering {
  // Where lines are counted from, ascending, and the number of the first one; null where it is not known.
  #origins = [{ id: 0, number: 1 }];
  #marks = [];

  // Whether the numbers are those of the file.
  isKnown = false;

  // The first line that is held is the first one of its file.
  begin(first) {
    this.isKnown = true;
    this.#origins = [{ id: first, number: 1 }, ...this.#origins.filter(({ id }) => id > Math.max(0, first))];
  }

  // Behind a mark lines are counted anew.
  mark(id, number) {
    this.#marks.push(id);
    this.#origins.push({ id: id + 1, number });
  }

  // Lines from `end` on never came.
  cut(end) {
    this.#marks = this.#marks.filter((id) => id < end);
    this.#origins = this.#origins.filter(({ id }) => id <= end);
  }

  // Null for lines before the first origin, and behind a gap.
  number(id) {
    const origin = this.#origins.findLast((origin) => origin.id <= id);
    return origin?.number ? id - origin.id + origin.number : null;
  }

  marksBetween(from, to) {
    return this.#marks.filter((id) => id >= from && id < to).length;
  }
}
