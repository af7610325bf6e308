// Some lines in one piece of memory.

export const BLOCK = 64 * 1024;

export class Block {
  bytes = new Uint8Array(BLOCK);
  length = 0;
  // Where each whole line ends, behind its newline, and when it came.
  ends = [];
  times = [];
  // Of each line that was looked at its level and what else is known of it (`text/levels.js`).
  codes = [];
  mark = null;
  // How much of the last line was too long to be kept.
  lost = 0;
  isSealed = false;

  // `anchor`: where the server finds the block's first byte, `over` bytes before a `cursor`; or null.
  constructor(first, anchor) {
    this.first = first;
    this.anchor = anchor;
  }

  get partial() {
    return this.length - (this.ends.at(-1) ?? 0);
  }

  get end() {
    return this.first + this.ends.length + (this.partial > 0);
  }

  closeLine(now) {
    this.ends.push(this.length);
    this.times.push(now);
  }
}
