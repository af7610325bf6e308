// The list of logs: newest first, searchable, refreshed by itself.

import { decode, encode, filesAddress, logAddress } from "./links.js";
import { ask, askPerson } from "./token.js";

const REFRESH = 5_000;
/** More are found by their names. */
const SHOWN = 200;
const list = document.getElementById("list");
const note = document.getElementById("list-note");
const field = document.getElementById("find-log");
const rows = new Map();
let files = [];
let isCut = false;
let chosen = "";
let timer = 0;

/** Fetches the list, and again every few seconds while the page is seen. `choose(log)` is called with a log that is chosen. */
export function showFiles(choose) {
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    choose(link.dataset.log);
  });
  field.addEventListener("input", draw);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  refresh();
}

/** Marks the log that is watched. */
export function markChosen(log) {
  chosen = decode(log);
  draw();
}

async function refresh() {
  clearTimeout(timer);
  try {
    const answer = await ask(filesAddress, { signal: AbortSignal.timeout(10_000) });
    if (answer.status === 401) {
      await askPerson();
      return refresh();
    }
    if (!answer.ok) throw new Error(answer.status);
    const listing = await answer.json();
    [files, isCut] = [listing.files, listing.cut === true];
    draw();
  } catch {
    note.textContent = "The list cannot be fetched now.";
  }
  if (!document.hidden) timer = setTimeout(refresh, REFRESH);
}

function draw() {
  const wanted = field.value.toLowerCase().split(/\s+/);
  const found = files.filter(({ path }) => wanted.every((word) => path.toLowerCase().includes(word)));
  const items = found.slice(0, SHOWN).map(item);
  if (items.some((element, index) => list.children[index] !== element) || list.children.length !== items.length) {
    const focused = document.activeElement;
    list.replaceChildren(...items);
    if (list.contains(focused)) focused.focus();
  }
  const hidden = found.length - items.length;
  const more = hidden ? `${hidden} more: find them by name.` : isCut ? "There are more than can be listed." : "";
  note.textContent = more || (files.length ? (found.length ? "" : "No log has such a name.") : "There are no logs yet.");
}

/** One log's list item, the same as long as there is the log. */
function item(file) {
  let element = rows.get(file.path);
  if (!element) {
    element = document.createElement("li");
    const link = document.createElement("a");
    link.dataset.log = encode(file.path);
    link.href = logAddress(link.dataset.log);
    link.append(part("path", file.path), " ", part("size"), " ", part("age"));
    element.append(link);
    rows.set(file.path, element);
  }
  const [, size, age] = element.querySelectorAll("span");
  say(size, bytes(file.size));
  say(age, since(Date.now() / 1000 - file.modified));
  element.firstChild.toggleAttribute("aria-current", file.path === chosen);
  if (file.path === chosen) element.firstChild.setAttribute("aria-current", "page");
  return element;
}

function part(name, text = "") {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A size for people. */
export function bytes(size) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, size)) / 3));
  return `${Number((size / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

function since(seconds) {
  if (seconds < 60) return "now";
  for (const [length, unit] of [[86_400, "d"], [3_600, "h"], [60, "min"]]) {
    if (seconds >= length) return `${Math.floor(seconds / length)} ${unit}`;
  }
}
