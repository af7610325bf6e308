// What is on screen of the lines: only these are in the document. The container scrolls as any other, over a spacer; the
// rows stick to it and are moved by what is scrolled. Where lines are broken, or are more than a browser's tallest
// element holds, scrolling moves the rows by as much as the hand did, and the scroll bar is set right when it rests.

import { $, arrange } from "../shell/dom.js";

const LINE_HEIGHT = 18;
// Browsers' tallest elements have 17 million device pixels, three of which may be one of ours.
const TALLEST = 5_500_000;
// After so long without scrolling, in milliseconds, it rests.
const REST = 150;
// So near to the first line older ones are wished for.
const NEAR_TOP = 50;

const pane = $("pane");
const rows = $("rows");

export let isFollowing = true;
let isWrapped = false;
let lines;
let hooks;
let elements = new Map();
// The line at the top, and how many pixels of it are above.
export let top = { id: 0, offset: 0 };
// The reader's place while other lines are shown, until the reader goes elsewhere.
let kept = null;
// The line whose match is to be on screen, and how often that may be tried.
let wanted = null;
let tries = 0;
let shift = 0;
let seen = 0;
let isDue = false;
// Runs while a hand scrolls.
let restTimer = 0;

// `shown`: `count`, `at(index)`, `index(id)`, `key(id)`, `element(id)`; `told`: `following(is)`, `painted(isNearTop)`.
export function setUp(shown, told) {
  [lines, hooks] = [shown, told];
  pane.addEventListener("scroll", scrolled, { passive: true });
  new ResizeObserver(draw).observe(pane);
}

// Draws with the next frame, however often it is asked to. A hidden tab has none.
export function draw() {
  if (!isDue) requestAnimationFrame(drawNow);
  isDue = true;
}

// Nothing is as it was: other settings, another search.
export function redraw() {
  elements.clear();
  draw();
}

export function wrap(is) {
  isWrapped = is;
  pane.classList.toggle("wrapped", is);
}

export const follow = () => setFollowing(true);

export function hold() {
  if (isFollowing && isWrapped) readTop();
  setFollowing(false);
}

// Other lines will be shown: keeps the place among them.
export function keep() {
  if (!isFollowing) kept ??= { ...top };
}

// Goes to a line, shown in the middle unless its match is on screen, and holds there.
export function show(id) {
  if ([...elements.keys()].slice(1, -1).includes(id)) hold();
  else if (isWrapped) jump(lines.index(id));
  else jump(Math.max(0, lines.index(id) - Math.floor(screen() / 2)));
  [kept, wanted, tries] = [null, id, 3];
  redraw();
}

// Goes to a line by its place among those shown, and holds there.
export function jump(index) {
  setFollowing(false);
  kept = null;
  goTo(index);
  rest();
}

const screen = () => pane.clientHeight / LINE_HEIGHT;

// The top of the last screen, in lines.
const range = () => Math.max(0, lines.count - screen());

// The top, in lines; rows of one height need not be drawn to be counted.
const topLine = () => Math.max(0, lines.index(top.id) + top.offset / LINE_HEIGHT);

// A pixel of the scroll bar is a pixel of the lines.
const isExact = () => !isWrapped && lines.count * LINE_HEIGHT <= TALLEST;

function setFollowing(is) {
  if (is) kept = wanted = null;
  if (isFollowing !== is) hooks.following((isFollowing = is));
  draw();
}

function goTo(line) {
  const index = Math.max(0, Math.min(lines.count - 1, Math.floor(line)));
  top = { id: lines.at(index) ?? top.id, offset: (line - index) * LINE_HEIGHT };
}

function scrolled() {
  const at = pane.scrollTop;
  const moved = at - seen;
  if (Math.abs(moved) < 1) return;
  seen = at;
  kept = wanted = null;
  clearTimeout(restTimer);
  restTimer = setTimeout(rest, REST);
  const most = pane.scrollHeight - pane.clientHeight;
  if (at >= most - 1) return follow();
  hold();
  if (isExact()) goTo(at / LINE_HEIGHT);
  else if (at <= 0) goTo(0);
  else if (Math.abs(moved) <= 2 * pane.clientHeight) top.offset += moved;
  else goTo((at / most) * range());
}

function rest() {
  clearTimeout(restTimer);
  restTimer = 0;
  draw();
}

function drawNow() {
  isDue = false;
  if (kept) goToKept();
  if (!isWrapped) goTo(isFollowing ? range() : Math.min(topLine(), range()));
  const { count } = lines;
  const [from, to] = span(count);
  fill(from, to);
  const tall = isWrapped ? rows.offsetHeight : (to - from) * LINE_HEIGHT;
  $("spacer").style.height = `${Math.max(Math.min(count * LINE_HEIGHT, TALLEST), to === count ? tall : 0)}px`;
  const lowest = to === count ? pane.clientHeight - tall : -Infinity;
  shift = Math.min(0, isFollowing ? lowest : Math.max(lowest, -above(from) - top.offset));
  rows.style.transform = `translateY(${shift}px)`;
  if (isWrapped && !isFollowing) readTop();
  setScroll();
  if (wanted !== null) reveal();
  hooks.painted(!isFollowing && !restTimer && topLine() < NEAR_TOP);
}

function goToKept() {
  const id = lines.at(Math.min(lines.index(kept.id), lines.count - 1)) ?? kept.id;
  top = id === kept.id ? { ...kept } : { id, offset: 0 };
}

// Brings the match of the wanted line on screen, within a long line, too.
function reveal() {
  const row = elements.get(wanted)?.element;
  const target = row?.querySelector("mark") ?? row;
  if (!target || !tries--) return (wanted = null);
  const [{ top: over, bottom, left, right }, box] = [target.getBoundingClientRect(), pane.getBoundingClientRect()];
  const [width, height] = [pane.clientWidth, pane.clientHeight];
  if (left < box.left || right > box.left + width) pane.scrollLeft += left - box.left - width / 3;
  if (over >= box.top && bottom <= box.top + height) return (wanted = null);
  top.offset += over - box.top - height / 2;
  draw();
}

function span(count) {
  const fits = Math.ceil(screen()) + 1;
  if (isFollowing) return [Math.max(0, count - fits), count];
  const index = Math.max(0, Math.min(count - 1, lines.index(top.id)));
  const before = Math.ceil(Math.max(0, -top.offset) / LINE_HEIGHT);
  const to = Math.min(count, index + fits + Math.ceil(Math.max(0, top.offset) / LINE_HEIGHT));
  // At the very end a screen is filled from below.
  return [Math.max(0, Math.min(index - before, to === count ? count - fits : index)), to];
}

function fill(from, to) {
  const known = elements;
  elements = new Map();
  for (let index = from; index < to; index++) {
    const id = lines.at(index);
    const key = lines.key(id);
    const old = known.get(id);
    elements.set(id, old?.key === key ? old : { key, element: lines.element(id) });
    elements.get(id).element.dataset.line = id;
  }
  arrange(rows, [...elements.values()].map(({ element }) => element));
}

// How much is drawn above the line at the top.
function above(from) {
  return isWrapped ? (elements.get(top.id)?.element.offsetTop ?? 0) : (lines.index(top.id) - from) * LINE_HEIGHT;
}

function readTop() {
  for (const [id, { element }] of elements) {
    const start = element.offsetTop + shift;
    if (start + element.offsetHeight > 0.5) return (top = { id, offset: -start });
  }
}

// Sets the scroll bar to what is shown; not under a hand that is scrolling, unless lines came or went above: a browser
// that scrolls smoothly stops where it is told a place.
function setScroll() {
  if (!isFollowing && restTimer && !isExact()) return;
  const most = pane.scrollHeight - pane.clientHeight;
  const wanted = Math.round(isFollowing ? most : scrollFor(topLine(), most));
  const isHand = !isFollowing && restTimer;
  if (Math.abs((isHand ? seen : pane.scrollTop) - wanted) > 1) pane.scrollTop = wanted;
  else if (isHand) return;
  seen = pane.scrollTop;
}

function scrollFor(line, most) {
  if (isExact()) return line * LINE_HEIGHT;
  // Short of both ends, for they mean more: the first line, and following.
  return Math.min(most - 2, Math.max(line > 0 ? 2 : 0, (line / Math.max(1, range())) * most));
}
