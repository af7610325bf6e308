// What is on screen of the lines: only these are in the document. The container scrolls as any other, over a spacer; the
// rows stick to it and are moved by what is scrolled. Where lines are broken, or are more than a browser's tallest
// element holds, scrolling moves the rows by as much as the hand did, and the scroll bar is set right when it rests.

import { Rows } from "./rows.js";

const LINE_HEIGHT = 18;
// Browsers' tallest elements have 17 million device pixels, three of which may be one of ours.
const TALLEST = 5_500_000;
// After so long without scrolling, in milliseconds, it rests.
const REST = 150;
// So near to the first line older ones are wished for.
const NEAR = 50;

export class View {
  isFollowing = true;
  // The line at the top, and how many pixels of it are above.
  top = { id: 0, offset: 0 };
  #isWrapped = false;
  #lines;
  #hooks;
  #rows;
  #spacer;
  // The reader's place while other lines are shown, until the reader goes elsewhere.
  #kept = null;
  // The line whose match is to be on screen, and how often that may be tried.
  #wanted = null;
  #tries = 0;
  #shift = 0;
  #seen = 0;
  #isDue = false;
  // Runs while a hand scrolls.
  #restTimer = 0;

  // `shown`: `count`, `at(index)`, `index(id)`, `key(id)`, `element(id)`; `told`: `following(is)`, `painted(isNearTop,
  // isNearEnd)`, `mayFollow()`: whether the end of the lines is that of the log.
  constructor(frame, shown, told) {
    [this.#lines, this.#hooks] = [shown, told];
    [this.pane, this.#spacer] = [frame.querySelector(".pane"), frame.querySelector(".spacer")];
    this.#rows = new Rows(frame.querySelector(".rows"), shown);
    this.pane.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.pane);
  }

  // Draws with the next frame, however often it is asked to. A hidden tab has none.
  draw() {
    if (!this.#isDue) requestAnimationFrame(() => this.#drawNow());
    this.#isDue = true;
  }

  // Nothing is as it was: other settings, another search.
  redraw() {
    this.#rows.clear();
    this.draw();
  }

  wrap(is) {
    this.#isWrapped = is;
    this.pane.classList.toggle("wrapped", is);
  }

  follow() {
    this.#setFollowing(true);
  }

  hold() {
    if (this.isFollowing && this.#isWrapped) this.#readTop();
    this.#setFollowing(false);
  }

  // Other lines will be shown: keeps the place among them.
  keep() {
    if (!this.isFollowing) this.#kept ??= { ...this.top };
  }

  // Goes to a line, shown in the middle unless its match is on screen, and holds there.
  show(id) {
    if (this.#rows.isWithin(id)) this.hold();
    else if (this.#isWrapped) this.jump(this.#lines.index(id));
    else this.jump(Math.max(0, this.#lines.index(id) - Math.floor(this.#screen() / 2)));
    [this.#kept, this.#wanted, this.#tries] = [null, id, 3];
    this.redraw();
  }

  // Goes to a line by its place among those shown, and holds there.
  jump(index) {
    this.#setFollowing(false);
    this.#kept = null;
    this.#goTo(index);
    this.#rest();
  }

  #screen() {
    return this.pane.clientHeight / LINE_HEIGHT;
  }

  // The top of the last screen, in lines.
  #range() {
    return Math.max(0, this.#lines.count - this.#screen());
  }

  // The top, in lines; rows of one height need not be drawn to be counted.
  #topLine() {
    return Math.max(0, this.#lines.index(this.top.id) + this.top.offset / LINE_HEIGHT);
  }

  // A pixel of the scroll bar is a pixel of the lines.
  #isExact() {
    return !this.#isWrapped && this.#lines.count * LINE_HEIGHT <= TALLEST;
  }

  #setFollowing(is) {
    if (is) this.#kept = this.#wanted = null;
    if (this.isFollowing !== is) this.#hooks.following((this.isFollowing = is));
    this.draw();
  }

  #goTo(line) {
    const index = Math.max(0, Math.min(this.#lines.count - 1, Math.floor(line)));
    this.top = { id: this.#lines.at(index) ?? this.top.id, offset: (line - index) * LINE_HEIGHT };
  }

  #scrolled() {
    const at = this.pane.scrollTop;
    const moved = at - this.#seen;
    if (Math.abs(moved) < 1) return;
    this.#seen = at;
    this.#kept = this.#wanted = null;
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => this.#rest(), REST);
    const most = this.pane.scrollHeight - this.pane.clientHeight;
    if (at >= most - 1 && this.#hooks.mayFollow()) return this.follow();
    this.hold();
    if (this.#isExact()) this.#goTo(at / LINE_HEIGHT);
    else if (at <= 0) this.#goTo(0);
    else if (Math.abs(moved) <= 2 * this.pane.clientHeight) this.top.offset += moved;
    else this.#goTo((at / most) * this.#range());
  }

  #rest() {
    clearTimeout(this.#restTimer);
    this.#restTimer = 0;
    this.draw();
  }

  #drawNow() {
    this.#isDue = false;
    if (this.#kept) this.#goToKept();
    if (!this.#isWrapped) this.#goTo(this.isFollowing ? this.#range() : Math.min(this.#topLine(), this.#range()));
    const { count } = this.#lines;
    const [from, to] = this.#span(count);
    this.#rows.fill(from, to);
    const tall = this.#isWrapped ? this.#rows.parent.offsetHeight : (to - from) * LINE_HEIGHT;
    this.#spacer.style.height = `${Math.max(Math.min(count * LINE_HEIGHT, TALLEST), to === count ? tall : 0)}px`;
    const lowest = to === count ? this.pane.clientHeight - tall : -Infinity;
    this.#shift = Math.min(0, this.isFollowing ? lowest : Math.max(lowest, -this.#above(from) - this.top.offset));
    this.#rows.parent.style.transform = `translateY(${this.#shift}px)`;
    if (this.#isWrapped && !this.isFollowing) this.#readTop();
    this.#setScroll();
    if (this.#wanted !== null) this.#reveal();
    const isStill = !this.isFollowing && !this.#restTimer;
    this.#hooks.painted(isStill && this.#topLine() < NEAR, isStill && to > count - NEAR);
  }

  #goToKept() {
    const id = this.#lines.at(Math.min(this.#lines.index(this.#kept.id), this.#lines.count - 1)) ?? this.#kept.id;
    this.top = id === this.#kept.id ? { ...this.#kept } : { id, offset: 0 };
  }

  // Brings the match of the wanted line on screen, within a long line, too.
  #reveal() {
    const row = this.#rows.get(this.#wanted);
    const target = row?.querySelector("mark") ?? row;
    if (!target || !this.#tries--) return (this.#wanted = null);
    const [{ top: over, bottom, left, right }, box] = [target.getBoundingClientRect(), this.pane.getBoundingClientRect()];
    const [width, height] = [this.pane.clientWidth, this.pane.clientHeight];
    if (left < box.left || right > box.left + width) this.pane.scrollLeft += left - box.left - width / 3;
    if (over >= box.top && bottom <= box.top + height) return (this.#wanted = null);
    this.top.offset += over - box.top - height / 2;
    this.draw();
  }

  #span(count) {
    const fits = Math.ceil(this.#screen()) + 1;
    if (this.isFollowing) return [Math.max(0, count - fits), count];
    const index = Math.max(0, Math.min(count - 1, this.#lines.index(this.top.id)));
    const before = Math.ceil(Math.max(0, -this.top.offset) / LINE_HEIGHT);
    const to = Math.min(count, index + fits + Math.ceil(Math.max(0, this.top.offset) / LINE_HEIGHT));
    // At the very end a screen is filled from below.
    return [Math.max(0, Math.min(index - before, to === count ? count - fits : index)), to];
  }

  // How much is drawn above the line at the top.
  #above(from) {
    if (this.#isWrapped) return this.#rows.get(this.top.id)?.offsetTop ?? 0;
    return (this.#lines.index(this.top.id) - from) * LINE_HEIGHT;
  }

  #readTop() {
    this.top = this.#rows.top(this.#shift) ?? this.top;
  }

  // Sets the scroll bar to what is shown; not under a hand that is scrolling, unless lines came or went above: a browser
  // that scrolls smoothly stops where it is told a place.
  #setScroll() {
    if (!this.isFollowing && this.#restTimer && !this.#isExact()) return;
    const most = this.pane.scrollHeight - this.pane.clientHeight;
    const place = Math.round(this.isFollowing ? most : this.#scrollFor(this.#topLine(), most));
    const isHand = !this.isFollowing && this.#restTimer;
    if (Math.abs((isHand ? this.#seen : this.pane.scrollTop) - place) > 1) this.pane.scrollTop = place;
    else if (isHand) return;
    this.#seen = this.pane.scrollTop;
  }

  #scrollFor(line, most) {
    if (this.#isExact()) return line * LINE_HEIGHT;
    // Short of both ends, for they mean more: the first line, and following.
    return Math.min(most - 2, Math.max(line > 0 ? 2 : 0, (line / Math.max(1, this.#range())) * most));
  }
}
