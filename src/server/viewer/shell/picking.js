// Picking whole lines by the gutter, and what a line unfolds: its entry, its JSON.

import { plain } from "../text/lines.js";
import { $, say } from "./dom.js";

export function setUpPicking(active) {
  document.addEventListener("click", (event) => {
    const row = event.target.closest?.(".row");
    if (!row) return;
    const reader = active();
    const id = Number(row.dataset.line);
    if (event.target.matches(".fold")) return turn(reader, id);
    if (!event.target.matches(".gutter, .number")) return;
    const [from, to] = (event.shiftKey && reader.picked) || [id, id];
    if (!event.shiftKey && reader.picked?.[0] === id && reader.picked[1] === id) reader.picked = null;
    else reader.pick(Math.min(from, id), Math.max(to, id));
    reader.view.hold();
    reader.view.redraw();
  });
  document.addEventListener("keydown", (event) => {
    const reader = active();
    if (!reader.view.pane.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const { picked, current, view, lines } = reader;
    const id = picked?.[1] ?? current ?? view.top.id;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "v" || (event.shiftKey && step)) {
      const last = step && picked ? lines.at(lines.index(id) + step) : id;
      if (last !== undefined) reader.pick(Math.min(picked?.[0] ?? id, last), last);
    } else if (event.key === "Escape" && picked) reader.picked = null;
    else if (event.key === "Enter") unfold(lines.text(id));
    else if (event.key === "z") turn(reader, reader.entries.start(id));
    else return;
    event.preventDefault();
    view.redraw();
  });
}

function turn(reader, id) {
  reader.view.keep();
  reader.scan.turn(id);
  reader.view.redraw();
}

// A line alone: JSON in its structure, anything else broken where it is too long.
function unfold(text) {
  const line = plain(text);
  let shown = line;
  const start = line.indexOf("{");
  try {
    shown = line.slice(0, start) + JSON.stringify(JSON.parse(line.slice(start)), null, 2);
  } catch {
    // It is no JSON.
  }
  say($("line"), shown);
  $("detail").showModal();
}
