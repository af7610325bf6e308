// What is selected of the log, also where its lines are no longer on screen and thus not in the document.

import { $ } from "../shell/dom.js";

// Places: a line, and how many characters of it are before.
let anchor = null;
let focus = null;

// The hand that selects is down.
let isDragged = false;

const clear = () => ([anchor, focus] = [null, null]);
const isDrawn = ({ id }) => $("rows").querySelector(`[data-line="${id}"]`) !== null;

// The first and the last place; null where nothing is selected.
export function selected() {
  if (!anchor || !focus || (anchor.id === focus.id && anchor.offset === focus.offset)) return null;
  const isForward = anchor.id < focus.id || (anchor.id === focus.id && anchor.offset < focus.offset);
  return isForward ? [anchor, focus] : [focus, anchor];
}

function place(node, offset) {
  const row = (node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement)?.closest(".row");
  if (!row || !$("rows").contains(row)) return null;
  const before = document.createRange();
  before.selectNodeContents(row.querySelector(".text"));
  before.setEnd(node, offset);
  return { id: Number(row.dataset.line), offset: before.toString().length };
}

export function setUpSelection() {
  $("pane").addEventListener("pointerdown", ({ shiftKey, button }) => {
    isDragged = button === 0;
    if (isDragged && !shiftKey) clear();
  });
  addEventListener("pointerup", () => (isDragged = false));
  $("pane").addEventListener("pointermove", ({ buttons, clientX, clientY }) => {
    if (!isDragged || !(buttons & 1) || !anchor || isDrawn(anchor)) return;
    const caret = document.caretRangeFromPoint?.(clientX, clientY);
    focus = (caret && place(caret.startContainer, caret.startOffset)) ?? focus;
    paint();
  });
  document.addEventListener("selectionchange", () => {
    const selection = getSelection();
    if (!$("pane").contains(selection.anchorNode)) return clear();
    // The browser forgets where a selection began once that line is gone.
    if (anchor && !isDrawn(anchor)) return;
    anchor = place(selection.anchorNode, selection.anchorOffset) ?? anchor;
    focus = place(selection.focusNode, selection.focusOffset) ?? focus;
  });
}

// Selects in the document what is on screen of it.
export function paint() {
  if (!selected() || (isDragged && isDrawn(anchor))) return;
  const selection = getSelection();
  if (isAt(anchor, selection.anchorNode, selection.anchorOffset) && isAt(focus, selection.focusNode, selection.focusOffset)) return;
  selection.setBaseAndExtent(...boundary(anchor), ...boundary(focus));
}

function isAt({ id, offset }, node, at) {
  const found = place(node, at);
  return found?.id === id && found.offset === offset;
}

// The place in the document, or the end of what is drawn on that side.
function boundary({ id, offset }) {
  const rows = $("rows");
  const row = rows.querySelector(`[data-line="${id}"]`);
  if (!row) return [rows, id < Number(rows.firstChild?.dataset.line) ? 0 : rows.childNodes.length];
  const walker = document.createTreeWalker(row.querySelector(".text"), NodeFilter.SHOW_TEXT);
  let left = offset;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (left <= node.length) return [node, left];
    left -= node.length;
  }
  return [row, row.childNodes.length];
}
