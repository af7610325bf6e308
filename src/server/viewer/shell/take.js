// Taking along: lines to the clipboard, what is shown to a file, the log as it is. Much of it goes in pieces, between which
// the page takes a breath, and which the browser keeps elsewhere.

import { plain } from "../text/lines.js";
import { logAddress, nameOf } from "./links.js";
import { ask } from "./net.js";

// So many lines are copied at once.
const PIECE = 10_000;
// After so many milliseconds the page takes a breath, which is looked at after some lines.
const BREATH = 20;
const STEP = 200;
let isAll = false;

// Copies as plain text: what is selected, the lines that are picked, or all that are shown where all or nothing is.
export function copyPlainly(active) {
  document.addEventListener("copy", (event) => {
    const reader = active();
    const { lines, picked, view, selection } = reader;
    const range = isAll ? null : selection.range;
    const { anchorNode, isCollapsed } = getSelection();
    const isElsewhere = !isAll && !range && !isCollapsed && !view.pane.contains(anchorNode);
    if (event.target.closest?.("input, dialog") || isElsewhere) return;
    event.preventDefault();
    const ends = range ? range.map(({ id }) => id) : isAll ? null : picked;
    const [from, to] = ends ? ends.map((id) => lines.index(id)) : [0, lines.count - 1];
    const text = texts(lines.ids(from, to), lines, range ?? []);
    if (to - from < PIECE) event.clipboardData.setData("text/plain", [...text].join(""));
    else copyMany(text, to - from + 1, reader);
  });
  document.addEventListener("keydown", (event) => {
    const { pane } = active().view;
    if (event.key !== "a" || !(event.ctrlKey || event.metaKey) || !pane.contains(event.target)) return;
    event.preventDefault();
    getSelection().selectAllChildren(pane.querySelector(".rows"));
    isAll = true;
  });
  document.addEventListener("pointerdown", () => (isAll = false));
}

// Lines as plain text; of a range's first and last line what is within it.
export function* texts(ids, lines, [from, to] = []) {
  for (const id of ids) {
    const text = plain(lines.text(id));
    if (to?.id === id) yield text.slice(from.id === id ? from.offset : 0, to.offset);
    else yield `${from?.id === id ? text.slice(from.offset) : text}\n`;
  }
}

function copyMany(lines, count, reader) {
  const note = (text) => reader.states.note(text);
  if (!navigator.clipboard?.write) return note(`Not copied: ${count} lines are too many here. Download saves them`);
  note(`Copying ${count} lines…`);
  navigator.clipboard.write([new ClipboardItem({ "text/plain": reader.keep(collect(lines)) })]).then(
    () => note(`${count} lines are copied`),
    () => note("The lines could not be copied"),
  );
}

async function collect(lines) {
  const pieces = [];
  let piece = "";
  let [count, began] = [0, performance.now()];
  for (const line of lines) {
    piece += line;
    if (++count % STEP || performance.now() - began < BREATH) continue;
    pieces.push(new Blob([piece]));
    piece = "";
    await new Promise((resolve) => setTimeout(resolve));
    began = performance.now();
  }
  return new Blob([...pieces, piece], { type: "text/plain" });
}

export async function download(log, lines) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await collect(lines));
  link.download = nameOf(log).split("/").at(-1).replace(/(\.log|\.txt)?$/, ".txt");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// A link does not carry a token: with one the text is fetched.
export async function openRaw(log) {
  const view = open("about:blank", "_blank");
  const answer = await ask(logAddress(log, { lines: "all" }), { signal: null }).catch(() => view?.close());
  if (!answer || !view) return;
  view.location = URL.createObjectURL(new Blob([await answer.blob()], { type: "text/plain;charset=utf-8" }));
}
