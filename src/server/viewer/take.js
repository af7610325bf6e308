// Taking along: selected lines to the clipboard, what is shown to a file, the log as it is.

import { plain } from "./ansi.js";
import { decode, logAddress } from "./links.js";
import { ask } from "./token.js";

/** Lines are put together in pieces of so many, with a breath in between. */
const PIECE = 20_000;
const rows = document.getElementById("rows");
let isAll = false;

/** Copies as plain text: the selected lines, or all that `shown()` lists where all are selected or none. */
export function copyPlainly(pane, shown, store) {
  document.addEventListener("copy", (event) => {
    const isField = event.target.closest?.("input");
    const text = selected() || (isAll || event.target === document.body || pane.contains(event.target) ? everything(shown(), store()) : "");
    if (isField || !text) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", text);
  });
  pane.addEventListener("keydown", (event) => {
    if (event.key !== "a" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    getSelection().selectAllChildren(rows);
    isAll = true;
  });
  document.addEventListener("pointerdown", () => (isAll = false));
}

/** The text of the selected part of the lines on screen. */
function selected() {
  const selection = getSelection();
  if (isAll || selection.isCollapsed || !rows.contains(selection.anchorNode) || !rows.contains(selection.focusNode)) return "";
  const range = selection.getRangeAt(0);
  const parts = [...rows.querySelectorAll(".row > .text")].filter((text) => range.intersectsNode(text));
  return parts.map((text) => within(text, range)).join("\n");
}

/** What of an element's text lies in a range. */
function within(element, range) {
  const part = document.createRange();
  part.selectNodeContents(element);
  if (range.compareBoundaryPoints(Range.START_TO_START, part) > 0) part.setStart(range.startContainer, range.startOffset);
  if (range.compareBoundaryPoints(Range.END_TO_END, part) < 0) part.setEnd(range.endContainer, range.endOffset);
  return part.toString();
}

function everything(ids, store) {
  let text = "";
  for (const id of ids) text += `${plain(store.text(id))}\n`;
  return text;
}

/** Saves what is shown, as text. */
export async function download(log, ids, store) {
  const pieces = [];
  let piece = "";
  let count = 0;
  for (const id of ids) {
    piece += `${plain(store.text(id))}\n`;
    if (++count % PIECE) continue;
    pieces.push(piece);
    piece = "";
    await new Promise((resolve) => setTimeout(resolve));
  }
  const address = URL.createObjectURL(new Blob([...pieces, piece], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = decode(log).split("/").at(-1).replace(/(\.log|\.txt)?$/, ".txt");
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Opens a log's text. A browser that goes to its address gets this page, so the text is fetched. */
export async function openRaw(log) {
  const view = open("about:blank", "_blank");
  const answer = await ask(logAddress(log, { lines: "all" })).catch(() => view?.close());
  if (!answer) return;
  const text = new Blob([await answer.blob()], { type: "text/plain;charset=utf-8" });
  if (view) view.location = URL.createObjectURL(text);
}
