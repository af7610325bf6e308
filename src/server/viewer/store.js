// The lines that are held: bytes as they came, in blocks of whole lines, decoded only when they are looked at. A line has
// a number that it keeps; what is loaded before the first one gets lower numbers. Marks (a rotation, a gap) are lines, too.

const BLOCK = 64 * 1024;
const MAX_LINES = 1_000_000;
const MAX_BYTES = 200_000_000;
/** Of a longer line the rest is counted, not kept. */
const MAX_LINE = 1 << 20;
/** How much of a line is shown and searched. */
const MAX_SHOWN = 10_000;
/** How much longer the store may grow while somebody reads old lines. */
const SLACK = 1.25;

/** So many blocks at most lie between two anchors, where the server sends cursors as often. */
const SPACING = 16;

const NEWLINE = 10;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

class Block {
  bytes = new Uint8Array(BLOCK);
  length = 0;
  /** Where each whole line ends, behind its newline, and when it came. */
  ends = [];
  times = [];
  /** Where the server finds the block's first byte: so many bytes before a cursor. */
  anchor = null;
  mark = null;
  /** How much of the last line was too long to be kept. */
  lost = 0;
  isSealed = false;

  constructor(first) {
    this.first = first;
  }

  get partial() {
    return this.length - (this.ends.at(-1) ?? 0);
  }

  get count() {
    return this.ends.length + (this.partial > 0 ? 1 : 0);
  }

  /** No more is added: what is not used is given back. */
  seal() {
    this.isSealed = true;
    this.bytes = this.bytes.slice(0, this.length);
    this.ends = Uint32Array.from(this.ends);
    this.times = Float64Array.from(this.times);
  }

  closeLine(now) {
    this.ends.push(this.length);
    this.times.push(now);
  }
}

export class Store {
  blocks = [];
  size = 0;
  /** How many lines were dropped from the front. */
  dropped = 0;
  /** Somebody reads old lines. */
  isRead = false;
  #next = null;

  /** The number of the first line. */
  get first() {
    return this.blocks[0]?.first ?? 0;
  }

  /** The number after the last line's. */
  get end() {
    const last = this.blocks.at(-1);
    return last ? last.first + last.count : 0;
  }

  /** The number after the last whole line's. */
  get whole() {
    const last = this.blocks.at(-1);
    return last ? last.first + last.ends.length : 0;
  }

  /** Where the lines before the first can be asked for. */
  get anchor() {
    return this.blocks[0]?.anchor ?? this.#next;
  }

  append(bytes, now = Date.now()) {
    for (let at = 0; at < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline + 1;
      const block = this.#put(bytes.subarray(at, end));
      if (newline >= 0) block.closeLine(now);
      if (newline >= 0 && block.lost) this.#seal(block);
      at = end;
    }
    this.#trim();
  }

  /** Everything up to here is covered by a cursor. */
  cover(cursor) {
    const block = this.blocks.at(-1);
    if (!block || block.isSealed) {
      this.#next = { cursor, over: 0 };
    } else if (!block.lost && (block.length >= BLOCK / 2 || this.#isUnanchored(block))) {
      const partial = block.partial;
      const next = this.#moveOn(block);
      next.anchor = { cursor, over: partial };
    }
  }

  #isUnanchored(block) {
    const last = this.blocks.slice(-SPACING);
    return block.ends.length > 0 && last.length === SPACING && !last.some((other) => other.anchor);
  }

  /** A line that no log holds; the cursor says where it goes on behind it. */
  mark(text, cursor) {
    this.#close();
    const block = new Block(this.end);
    block.mark = text;
    block.closeLine(Date.now());
    block.seal();
    this.blocks.push(block);
    if (cursor) this.#next = { cursor, over: 0 };
  }

  /** Puts older bytes, whole lines, before the first line. */
  prepend(bytes, cursor) {
    const older = new Store();
    older.#next = { cursor, over: 0 };
    older.append(bytes, NaN);
    older.#close();
    const shift = this.first - older.end;
    for (const block of older.blocks) block.first += shift;
    this.blocks.unshift(...older.blocks);
    this.size += older.size;
    this.dropped = Math.max(0, this.dropped - older.end);
  }

  /** A line: its text as far as it is shown, how many bytes more it has, and when it came. */
  line(number) {
    const block = this.#blockOf(number);
    if (block.mark !== null) return { text: block.mark, isMark: true, more: 0, time: block.times[0], state: "mark" };
    const bytes = this.#bytes(block, number - block.first);
    const isWhole = number - block.first < block.ends.length;
    const text = decodeLine(bytes.subarray(0, MAX_SHOWN), !isWhole || bytes.length > MAX_SHOWN);
    const isLast = number === block.first + block.count - 1;
    const more = Math.max(0, bytes.length - MAX_SHOWN) + (isLast ? block.lost : 0);
    return { text, isMark: false, more, time: block.times[number - block.first], state: isWhole ? "" : `${bytes.length}` };
  }

  /** A line's text as far as it is held. */
  text(number) {
    const block = this.#blockOf(number);
    if (block.mark !== null) return block.mark;
    const text = decodeLine(this.#bytes(block, number - block.first), false);
    return block.lost && number === block.first + block.count - 1 ? `${text} [and ${block.lost} bytes]` : text;
  }

  /** The texts of the whole lines from `number` on that lie in one block; marks are null. */
  texts(number) {
    const block = this.#blockOf(number);
    if (block.mark !== null) return [null];
    const from = number - block.first;
    const start = from ? block.ends[from - 1] : 0;
    const text = decoder.decode(block.bytes.subarray(start, block.ends.at(-1)));
    return text.split("\n", block.ends.length - from).map(shown);
  }

  /** The number of the first line of the block before that line. */
  blockBefore(number) {
    return this.#blockOf(number - 1).first;
  }

  #bytes(block, index) {
    const start = index ? block.ends[index - 1] : 0;
    const end = index < block.ends.length ? block.ends[index] : block.length;
    return block.bytes.subarray(start, end);
  }

  #blockOf(number) {
    let [low, high] = [0, this.blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.blocks[middle].first <= number) low = middle;
      else high = middle - 1;
    }
    return this.blocks[low];
  }

  #put(bytes) {
    let block = this.blocks.at(-1);
    if (!block || block.isSealed) block = this.#open();
    if (block.length + bytes.length > block.bytes.length && block.ends.length) block = this.#moveOn(block);
    const kept = bytes.subarray(0, Math.max(0, MAX_LINE - block.length));
    if (block.length + kept.length > block.bytes.length) this.#grow(block, block.length + kept.length);
    block.bytes.set(kept, block.length);
    block.length += kept.length;
    block.lost += bytes.length - kept.length;
    return block;
  }

  #grow(block, needed) {
    const bytes = new Uint8Array(Math.max(needed, Math.min(MAX_LINE, block.bytes.length * 2)));
    bytes.set(block.bytes.subarray(0, block.length));
    this.size += bytes.length - block.bytes.length;
    block.bytes = bytes;
  }

  #open() {
    const block = new Block(this.end);
    block.anchor = this.#next;
    this.#next = null;
    this.blocks.push(block);
    this.size += block.bytes.length;
    return block;
  }

  /** Seals a block and takes its unfinished line over to a new one. */
  #moveOn(block) {
    const rest = block.bytes.slice(block.length - block.partial, block.length);
    block.length -= rest.length;
    this.#seal(block);
    const next = this.#open();
    if (rest.length > next.bytes.length) this.#grow(next, rest.length);
    next.bytes.set(rest);
    next.length = rest.length;
    return next;
  }

  #seal(block) {
    this.size -= block.bytes.length;
    block.seal();
    this.size += block.bytes.length;
  }

  /** Ends an unfinished line. */
  #close() {
    const block = this.blocks.at(-1);
    if (!block || block.isSealed) return;
    if (block.partial) block.closeLine(Date.now());
    this.#seal(block);
  }

  /** Drops the oldest blocks, up to one before which the dropped lines can be asked for again. */
  #trim() {
    const slack = this.isRead ? SLACK : 1;
    const fits = (index) => this.end - this.blocks[index].first <= MAX_LINES * slack;
    let [index, size, anchored] = [0, this.size, 0];
    while (index < this.blocks.length - 1 && (size > MAX_BYTES * slack || !fits(index))) {
      size -= this.blocks[index].bytes.length;
      index++;
      if (this.blocks[index].anchor) anchored = index;
    }
    // Rather a few lines too many than none before the first that could be asked for; but not without end.
    if (anchored || index <= 2 * SPACING) index = anchored;
    if (!index) return;
    this.dropped += this.blocks[index].first - this.first;
    for (const block of this.blocks.splice(0, index)) this.size -= block.bytes.length;
  }
}

/** A line without its end; of one that is cut or unfinished no half character is shown. */
function decodeLine(bytes, isCut) {
  const text = decoder.decode(bytes, { stream: isCut });
  if (isCut) decoder.decode();
  return text.replace(/\r?\n?$/, "");
}

function shown(text) {
  return (text.length > MAX_SHOWN ? text.slice(0, MAX_SHOWN) : text).replace(/\r$/, "");
}
