// The lines that are held: bytes as they came, in blocks of whole lines, decoded when they are looked at. A line keeps its
// number; what is loaded before the first one gets lower ones. Marks (a rotation, a gap) are lines, too.

import { BLOCK, Block } from "./block.js";
import { Numbering } from "./numbering.js";
import { MAX_SHOWN, decodeLine } from "../text/lines.js";

const MAX_LINES = 1_000_000;
const MAX_BYTES = 200_000_000;
// Of a longer line the rest is counted, not kept.
const MAX_LINE = 1 << 20;
// So many blocks at most lie between two anchors, where the server sends cursors as often.
const SPACING = 16;
const NEWLINE = 10;

export class Store {
  blocks = [];
  size = 0;
  numbering = new Numbering();
  // Somebody reads: nothing is dropped from the front.
  isHeld = false;
  // The anchor of the next block.
  #next = null;
  // So many lines and bytes were there before the page: when they came is not known.
  #old = { lines: 0, bytes: 0 };

  get #last() {
    return this.blocks.at(-1);
  }

  get first() {
    return this.blocks[0]?.first ?? 0;
  }

  // The number after the last line, whole or not.
  get end() {
    return this.#last?.end ?? 0;
  }

  get partial() {
    return this.#last?.partial ?? 0;
  }

  get isFull() {
    return this.end - this.first >= MAX_LINES || this.size >= MAX_BYTES;
  }

  // How many lines that came are gone from the front: what was loaded before them is not counted.
  get dropped() {
    return Math.max(0, this.first) - this.numbering.marksBetween(0, this.first);
  }

  // Where the lines before the first can be asked for.
  get anchor() {
    return this.blocks.length ? this.blocks[0].anchor : this.#next;
  }

  // The stream begins with what was there: so many lines, or all if these are more than there are bytes.
  expect(lines, bytes) {
    this.#old = { lines, bytes };
  }

  // So many lines of those are still to come.
  get expected() {
    return this.#old.bytes > 0 ? Math.max(0, this.#old.lines) : 0;
  }

  append(bytes, now = Date.now()) {
    for (let at = 0; at < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, at) + 1;
      const end = newline || bytes.length;
      const block = this.#put(bytes.subarray(at, end));
      this.#old.bytes -= end - at;
      if (newline) block.closeLine(this.#old.lines-- > 0 && this.#old.bytes >= 0 ? NaN : now);
      if (newline && block.lost) this.#seal();
      at = end;
    }
    this.#trim();
  }

  // Everything up to here is covered by a cursor.
  cover(cursor) {
    const block = this.#last;
    if (!block || block.isSealed) return (this.#next = { cursor, over: 0 });
    const recent = this.blocks.slice(-SPACING);
    const isDue = block.ends.length > 0 && recent.length === SPACING && !recent.some(({ anchor }) => anchor);
    const over = block.partial;
    if (!block.lost && (isDue || block.length >= BLOCK / 2)) this.#moveOn(block).anchor = { cursor, over };
  }

  // A line that no log holds; the cursor says where it goes on behind it, the number which line of a file that is.
  mark(text, cursor, number = null) {
    this.#seal();
    this.numbering.mark(this.end, number);
    const block = this.#open();
    block.mark = text;
    block.closeLine(Date.now());
    this.#seal();
    if (cursor) this.#next = { cursor, over: 0 };
  }

  // Puts older bytes, whole lines, before the first line.
  prepend(bytes, cursor) {
    const older = new Store();
    older.#next = { cursor, over: 0 };
    older.append(bytes, NaN);
    older.#seal();
    const shift = this.first - older.end;
    for (const block of older.blocks) block.first += shift;
    this.blocks.unshift(...older.blocks);
    this.size += older.size;
  }

  // Drops the newest blocks that are too many, as if no more had come after the cursor that is returned; or null.
  cut() {
    let [index, size] = [this.blocks.length, this.size];
    while (index > 1 && (size > MAX_BYTES || this.blocks[index - 1].end - this.first > MAX_LINES)) {
      size -= this.blocks[--index].bytes.length;
    }
    if (index === this.blocks.length) return null;
    while (index > 1 && !this.blocks[index].anchor) index--;
    const { anchor, bytes } = this.blocks[index];
    if (!anchor) return null;
    for (const gone of this.blocks.splice(index)) this.size -= gone.bytes.length;
    this.numbering.cut(this.end);
    this.#next = anchor;
    if (anchor.over) this.#put(bytes.subarray(0, anchor.over));
    return anchor.cursor;
  }

  // A line: its text as far as it is shown, its size where that is not all, when it came, and what tells its states apart.
  line(number, most = MAX_SHOWN) {
    const block = this.blockOf(number);
    const index = number - block.first;
    const isWhole = index < block.ends.length;
    const bytes = block.bytes.subarray(block.ends[index - 1] ?? 0, block.ends[index] ?? block.length);
    const text = block.mark ?? decodeLine(bytes, most);
    const lost = number === block.end - 1 ? block.lost : 0;
    const size = lost || text.length === most ? bytes.length + lost : 0;
    return { text, isMark: block.mark !== null, size, time: block.times[index], state: isWhole ? "" : bytes.length };
  }

  text(number) {
    const { text, size } = this.line(number, MAX_LINE);
    return size ? `${text} … [${size} bytes]` : text;
  }

  // A copy of the lines from `number` on that lie in one block, and the number after the whole ones.
  chunk(number) {
    const { first, ends, bytes, length, partial, mark } = this.blockOf(number);
    const copy = bytes.slice(ends[number - first - 1] ?? 0, length);
    return { bytes: copy, end: first + ends.length, partial, isMark: mark !== null };
  }

  // Where the block before a line begins.
  blockBefore(number) {
    return this.blockOf(number - 1).first;
  }

  // The block that holds a line.
  blockOf(number) {
    let [low, high] = [0, this.blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.blocks[middle].first <= number) low = middle;
      else high = middle - 1;
    }
    return this.blocks[low];
  }

  #put(bytes) {
    let block = this.#last;
    if (!block || block.isSealed) block = this.#open();
    if (block.length + bytes.length > block.bytes.length && block.ends.length) block = this.#moveOn(block);
    const kept = bytes.subarray(0, Math.max(0, MAX_LINE - block.length));
    this.#write(block, kept);
    block.lost += bytes.length - kept.length;
    return block;
  }

  #write(block, bytes) {
    const needed = block.length + bytes.length;
    if (needed > block.bytes.length) this.#resize(block, Math.max(needed, Math.min(MAX_LINE, block.bytes.length * 2)));
    block.bytes.set(bytes, block.length);
    block.length = needed;
  }

  #resize(block, size) {
    this.size += size - block.bytes.length;
    block.bytes = new Uint8Array(block.bytes.buffer.transfer(size));
  }

  #open() {
    const block = new Block(this.end, this.#next);
    this.#next = null;
    this.blocks.push(block);
    this.size += BLOCK;
    return block;
  }

  // Takes a block's unfinished line over to a new one.
  #moveOn(block) {
    const rest = block.bytes.slice(block.length - block.partial, block.length);
    block.length -= rest.length;
    this.#seal();
    const next = this.#open();
    this.#write(next, rest);
    return next;
  }

  // Ends the last line and its block, and gives back what is not used.
  #seal() {
    const block = this.#last;
    if (!block || block.isSealed) return;
    if (block.partial) block.closeLine(Date.now());
    this.#resize(block, block.length);
    block.isSealed = true;
    block.ends = Uint32Array.from(block.ends);
    block.times = Float64Array.from(block.times);
  }

  // Drops the oldest blocks, up to one before which the dropped lines can be asked for again.
  #trim() {
    let [index, size, anchored] = [0, this.size, 0];
    if (this.isHeld) return;
    while (index < this.blocks.length - 1 && (size > MAX_BYTES || this.end - this.blocks[index].first > MAX_LINES)) {
      size -= this.blocks[index++].bytes.length;
      if (this.blocks[index].anchor) anchored = index;
    }
    // Rather a few lines too many than none before the first that could be asked for; but not without end.
    if (anchored || index <= 2 * SPACING) index = anchored;
    for (const block of this.blocks.splice(0, index)) this.size -= block.bytes.length;
  }
}
