// What is known of the lines that are held: how grave they are, and which of them are one entry.

import { ERROR, LEVEL, MARK, MATCHES, STARTS, WARN, classify } from "../text/levels.js";

// So many lines are looked back at for the beginning of an entry.
const REACH = 500;

export class Entries {
  // Without times in it every line of a log is an entry.
  hasTimes = false;

  constructor(store) {
    this.store = store;
  }

  code(id) {
    const block = this.store.blockOf(id);
    return block.mark !== null ? MARK : (block.codes[id - block.first] ?? classify(this.store.line(id).text));
  }

  // The same, 0 where no scan was yet.
  known(id) {
    const block = this.store.blockOf(id);
    return block.mark !== null ? MARK : (block.codes[id - block.first] ?? 0);
  }

  // Of each block its first line, whether it is a mark, and how many errors it has.
  get blocks() {
    return this.store.blocks.map((block) => [block.first, block.mark !== null, (block.graver ??= count(block.codes))[1]]);
  }

  // What a scan found out of the lines from `id` on, of one block. `isKnown`: it looked for matches alone.
  learn(id, codes, isKnown) {
    const block = this.store.blockOf(id);
    const known = Array.from(block.codes);
    for (const [index, code] of codes.entries()) {
      const at = id - block.first + index;
      known[at] = isKnown ? (known[at] & ~MATCHES) | code : code;
      if (code & STARTS) this.hasTimes = true;
    }
    block.codes = block.isSealed ? Uint8Array.from(known) : known;
    block.graver = null;
  }

  isLearnt(id) {
    const block = this.store.blockOf(id);
    return block.isSealed && block.codes.length === block.ends.length;
  }

  // Whether a line goes on what the line before it says.
  goesOn(id) {
    return this.hasTimes && id > this.store.first && id < this.store.end && !(this.code(id) & (STARTS | MARK));
  }

  // The first line of a line's entry, or of as much of it as is looked at.
  start(id) {
    const least = id - REACH;
    while (id > least && this.goesOn(id)) id--;
    return id;
  }

  level(id) {
    return this.code(this.start(id)) & LEVEL;
  }

  // The next line in that direction with which an error begins; null for none.
  error(from, step) {
    const { first, end } = this.store;
    for (let id = from + step; id >= first && id < end; id += step) {
      if ((this.code(id) & LEVEL) >= ERROR && !this.goesOn(id)) return id;
    }
    return null;
  }

  // How many of the entries that were looked at are warnings, and how many are graver.
  get counts() {
    const sum = [0, 0];
    for (const block of this.store.blocks) {
      block.graver ??= count(block.codes);
      for (const part of [0, 1]) sum[part] += block.graver[part + (this.hasTimes ? 2 : 0)];
    }
    return sum;
  }
}

// Lines that are warnings, and errors, and of each those with which an entry begins.
function count(codes) {
  const counts = [0, 0, 0, 0];
  for (const code of codes) {
    if ((code & LEVEL) < WARN) continue;
    const part = (code & LEVEL) >= ERROR ? 1 : 0;
    counts[part]++;
    if (code & STARTS) counts[part + 2]++;
  }
  return counts;
}
