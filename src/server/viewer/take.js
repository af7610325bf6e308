// Taking along: lines to the clipboard, what is shown to a file, the log as it is.

import { $ } from "./dom.js";
import { logAddress, nameOf } from "./links.js";
import { plain } from "./text.js";
import { ask } from "./token.js";

// After so many lines the page takes a breath.
const PIECE = 20_000;
let isAll = false;

// Copies as plain text: what is selected on screen, or all that is shown where all or nothing is.
export function copyPlainly(everything) {
  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    const isSome = !isAll && !selection.isCollapsed;
    if (event.target.closest?.("input") || (isSome && !$("pane").contains(selection.anchorNode))) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", isSome ? selection.toString() : [...everything()].join(""));
  });
  $("pane").addEventListener("keydown", (event) => {
    if (event.key !== "a" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    getSelection().selectAllChildren($("rows"));
    isAll = true;
  });
  document.addEventListener("pointerdown", () => (isAll = false));
}

export function* texts(ids, store) {
  for (const id of ids) if (id >= store.first) yield `${plain(store.text(id))}\n`;
}

export async function download(log, lines) {
  const pieces = [""];
  let count = 0;
  for (const line of lines) {
    pieces[pieces.length - 1] += line;
    if (++count % PIECE) continue;
    pieces.push("");
    await new Promise((resolve) => setTimeout(resolve));
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(pieces, { type: "text/plain" }));
  link.download = nameOf(log).split("/").at(-1).replace(/(\.log|\.txt)?$/, ".txt");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// A browser that goes to a log's address gets this page, so the text is fetched.
export async function openRaw(log) {
  const view = open("about:blank", "_blank");
  const answer = await ask(logAddress(log, { lines: "all" }), { signal: null }).catch(() => view?.close());
  if (!answer || !view) return;
  view.location = URL.createObjectURL(new Blob([await answer.blob()], { type: "text/plain;charset=utf-8" }));
}
