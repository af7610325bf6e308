// What is on screen of the lines: only these are in the document. The container scrolls as any other, over a spacer; the
// rows stick to it and are moved by what is scrolled. Where lines are broken, or are more than a browser's tallest
// element holds, scrolling moves the rows by as much as the hand did, and the scroll bar is set right when it rests.

const LINE_HEIGHT = 18;
/** Browsers' tallest elements have 17 million device pixels or more, three of which may be one of ours. */
const TALLEST = 5_500_000;
/** After so long without scrolling it rests. */
const REST = 150;
/** So near to the first line older ones are wished for. */
const NEAR_TOP = 50;

export class Pane {
  /** The end is followed. */
  isFollowing = true;
  isWrapped = false;
  #element;
  #rows;
  #spacer;
  #lines;
  #hooks;
  #elements = new Map();
  /** The line at the top, and how many pixels of it are above. */
  #top = { id: 0, offset: 0 };
  #topIndex = 0;
  #seen = 0;
  #isDue = false;
  #restTimer = 0;
  #isResting = true;

  /** `lines`: `count`, `at(index)`, `index(id)`, `key(id)` and `element(id)`; `hooks`: `following(is)`, `nearTop()`, `painted()`. */
  constructor(element, lines, hooks) {
    this.#element = element;
    this.#rows = element.querySelector("#rows");
    this.#spacer = element.querySelector("#spacer");
    this.#lines = lines;
    this.#hooks = hooks;
    element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(element);
  }

  /** Draws with the next frame, however often it is asked to. */
  draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  /** Nothing is as it was: other settings, another search. */
  redraw() {
    this.#elements.clear();
    this.draw();
  }

  follow() {
    this.#setFollowing(true);
    this.draw();
  }

  hold() {
    if (this.isFollowing && this.isWrapped) this.#readTop();
    this.#setFollowing(false);
    this.draw();
  }

  /** Goes to a line, and holds there; it is shown in the middle unless it is on screen already. */
  show(id) {
    const visible = [...this.#elements.keys()];
    this.#setFollowing(false);
    if (!visible.slice(1, -1).includes(id)) {
      const above = Math.floor(this.#height / LINE_HEIGHT / 2);
      const index = Math.max(0, this.#lines.index(id) - above);
      this.#jumpTo(index);
    }
    this.redraw();
  }

  /** Goes to the first line that is held. */
  showFirst() {
    this.#setFollowing(false);
    this.#jumpTo(0);
    this.draw();
  }

  #jumpTo(line) {
    this.#goTo(line);
    this.#isResting = true;
  }

  /** The line in whose place a search begins. */
  get place() {
    return this.#top.id;
  }

  get #height() {
    return this.#element.clientHeight;
  }

  /** A pixel of the scroll bar is a pixel of the lines. */
  get #isExact() {
    return !this.isWrapped && this.#lines.count * LINE_HEIGHT <= TALLEST;
  }

  #setFollowing(is) {
    if (this.isFollowing === is) return;
    this.isFollowing = is;
    this.#hooks.following(is);
  }

  #scrolled() {
    const at = this.#element.scrollTop;
    const moved = at - this.#seen;
    if (Math.abs(moved) < 1) return;
    this.#seen = at;
    this.#isResting = false;
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => this.#rest(), REST);
    const most = this.#element.scrollHeight - this.#height;
    if (at >= most - 1) return this.follow();
    if (this.isFollowing) this.hold();
    if (this.#isExact) this.#goTo(at / LINE_HEIGHT);
    else if (at <= 0) this.#goTo(0);
    else if (Math.abs(moved) <= 2 * this.#height) this.#top.offset += moved;
    else this.#goTo((at / most) * this.#range());
    this.draw();
  }

  #rest() {
    this.#isResting = true;
    this.draw();
  }

  /** The top of the last screen, in lines. */
  #range() {
    return Math.max(0, this.#lines.count - this.#height / LINE_HEIGHT);
  }

  #goTo(line) {
    const index = Math.min(this.#lines.count - 1, Math.floor(line));
    this.#topIndex = Math.max(0, index);
    this.#top = { id: this.#lines.at(Math.max(0, index)), offset: (line - index) * LINE_HEIGHT };
  }

  #draw() {
    const [count, height] = [this.#lines.count, this.#height];
    const screen = Math.ceil(height / LINE_HEIGHT) + 1;
    const index = Math.max(0, Math.min(count - 1, this.#lines.index(this.#top.id)));
    if (!this.isWrapped && this.#top.offset) this.#straighten(index, count);
    const [from, to] = this.#span(count, screen);
    this.#place(from, to);
    this.#spacer.style.height = `${Math.max(Math.min(count * LINE_HEIGHT, TALLEST), this.#stretch(from, to, count))}px`;
    this.#rows.style.transform = `translateY(${this.#shift(from, to, count, height)}px)`;
    if (this.isWrapped && !this.isFollowing) this.#readTop();
    this.#setScroll(count, height);
    if (!this.isFollowing && this.#isResting && this.#lines.index(this.#top.id) < NEAR_TOP) this.#hooks.nearTop();
    this.#hooks.painted();
  }

  /** Rows of one height need not be drawn to be counted. */
  #straighten(index, count) {
    const line = Math.max(0, index + this.#top.offset / LINE_HEIGHT);
    this.#goTo(Math.min(line, Math.max(0, count - this.#height / LINE_HEIGHT)));
  }

  /** Which lines are drawn. */
  #span(count, screen) {
    if (this.isFollowing) return [Math.max(0, count - screen), count];
    const { id, offset } = this.#top;
    const index = Math.max(0, Math.min(count - 1, this.#lines.index(id)));
    const above = Math.ceil(Math.max(0, -offset) / LINE_HEIGHT);
    const below = screen + Math.ceil(Math.max(0, offset) / LINE_HEIGHT);
    const to = Math.min(count, index + below);
    // At the very end a screen is filled from below.
    const least = to === count ? count - screen : index;
    return [Math.max(0, Math.min(index - above, least)), to];
  }

  #place(from, to) {
    const elements = new Map();
    for (let index = from; index < to; index++) {
      const id = this.#lines.at(index);
      const key = this.#lines.key(id);
      const known = this.#elements.get(id);
      elements.set(id, known?.key === key ? known : { key, element: this.#lines.element(id) });
    }
    this.#elements = elements;
    const wanted = [...elements.values()].map(({ element }) => element);
    const kept = new Set(wanted);
    for (const child of [...this.#rows.children]) if (!kept.has(child)) child.remove();
    let next = this.#rows.firstChild;
    for (const element of wanted) {
      if (element === next) next = next.nextSibling;
      else this.#rows.insertBefore(element, next);
    }
  }

  /** How tall all lines are, where all of them are drawn and broken ones make them taller than they count. */
  #stretch(from, to, count) {
    return this.isWrapped && to === count ? this.#rows.offsetHeight : 0;
  }

  /** By how much the rows are moved. */
  #shift(from, to, count, height) {
    const lowest = to === count ? height - this.#rowsHeight(to - from) : -Infinity;
    if (this.isFollowing) return Math.min(0, lowest);
    const anchor = this.#elements.get(this.#top.id)?.element;
    const above = this.isWrapped ? (anchor?.offsetTop ?? 0) : (this.#lines.index(this.#top.id) - from) * LINE_HEIGHT;
    const shift = Math.max(-above - this.#top.offset, lowest);
    return Math.min(0, shift);
  }

  #rowsHeight(rows) {
    return this.isWrapped ? this.#rows.offsetHeight : rows * LINE_HEIGHT;
  }

  /** The line at the top, as it is drawn. */
  #readTop() {
    const shift = new DOMMatrix(getComputedStyle(this.#rows).transform).f;
    for (const [id, { element }] of this.#elements) {
      const top = element.offsetTop + shift;
      if (top + element.offsetHeight > 0.5) {
        this.#top = { id, offset: -top };
        return;
      }
    }
  }

  /** Sets the scroll bar to what is shown; not under a hand that is scrolling, unless it must be. */
  #setScroll(count, height) {
    if (!this.isWrapped && this.isFollowing) {
      const line = Math.max(0, count - height / LINE_HEIGHT);
      this.#goTo(line);
    }
    if (!this.isFollowing && !this.#isResting) return this.#keepUp();
    const most = this.#element.scrollHeight - height;
    const wanted = Math.round(this.isFollowing ? most : this.#wanted(count, most));
    if (Math.abs(this.#element.scrollTop - wanted) > 1) this.#element.scrollTop = wanted;
    this.#seen = this.#element.scrollTop;
  }

  /** Under a scrolling hand only lines that came or went above are made up for. */
  #keepUp() {
    const index = this.#lines.index(this.#top.id);
    const moved = this.#isExact ? (index - this.#topIndex) * LINE_HEIGHT : 0;
    if (!moved) return;
    this.#topIndex = index;
    this.#element.scrollTop += moved;
    this.#seen = this.#element.scrollTop;
  }

  #wanted(count, most) {
    const line = this.#lines.index(this.#top.id) + this.#top.offset / (this.isWrapped ? LINE_HEIGHT * 100 : LINE_HEIGHT);
    if (this.#isExact) return line * LINE_HEIGHT;
    // Short of both ends, for they mean more: the first line, and following.
    return Math.min(most - 2, Math.max(line > 0 ? 2 : 0, (line / Math.max(1, this.#range())) * most));
  }
}
