// The page: what a click, a key and a line lead to.

import { Finder, lowerBound } from "./finder.js";
import { markChosen, showFiles } from "./files.js";
import { chosenLog, decode, logAddress } from "./links.js";
import { loadOlder } from "./older.js";
import { Pane } from "./pane.js";
import { row } from "./row.js";
import { firstLines, fragment, readFragment, settings, writeFragment } from "./settings.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import { copyPlainly, download, openRaw } from "./take.js";

const $ = (id) => document.getElementById(id);
const pane = $("pane");

let log = "";
let store = new Store();
let stream = null;
/** What lies before the first line: `""`, `"loading"`, `"start"`, `"gone"`. */
let before = "";
/** While paused, the number after the last line that is shown. */
let frozen = null;
/** The number after the last line when the end was left. */
let left = 0;
/** The line that was jumped to. */
let current = null;

const finder = new Finder(store, () => {
  sayCount();
  if (isFiltered()) view.draw();
});

const isFiltered = () => settings.filter && finder.isActive;
const end = () => Math.min(frozen ?? Infinity, store.end);

/** The lines that are shown, for the pane. */
const lines = {
  get count() {
    return isFiltered() ? lowerBound(finder.ids, end()) : Math.max(0, end() - store.first);
  },
  at: (index) => (isFiltered() ? finder.ids[index] : store.first + index),
  index: (id) => (isFiltered() ? lowerBound(finder.ids, id) : id - store.first),
  key: (id) => `${store.line(id).state}${id === current}`,
  element(id) {
    const { numbers, times } = settings;
    return row(store.line(id), id + 1, { numbers, times, pattern: finder.pattern, isCurrent: id === current });
  },
  *[Symbol.iterator]() {
    for (let index = 0; index < this.count; index++) yield this.at(index);
  },
};

const view = new Pane(pane, lines, {
  following(is) {
    store.isRead = !is;
    if (!is) left = end();
    press("follow", is);
  },
  nearTop: fetchOlder,
  painted: sayNew,
});

/** Shows a log from its last lines on. */
function watch(name) {
  stream?.close();
  log = name;
  store = new Store();
  [before, frozen, left, current] = ["", null, 0, null];
  finder.restart(store);
  press("pause", false);
  $("name").textContent = log ? decode(log) : "wstail";
  document.title = log ? `${decode(log)} – wstail` : "wstail";
  document.body.dataset.log = log ? "chosen" : "";
  $("raw").href = log ? logAddress(log, { lines: "all" }) : "";
  markChosen(log);
  openChooser(!log || innerWidth > 700);
  changed();
  view.redraw();
  view.follow();
  stream = log ? new Stream(log, firstLines(), { bytes, event, state, heard }) : null;
  if (!log) state("idle", "Choose a log");
}

function bytes(received) {
  store.append(received);
  changed();
}

function changed() {
  const held = store.dropped ? `${store.dropped} older lines dropped` : "";
  if ($("held").textContent !== held) $("held").textContent = held;
  finder.scan();
  view.draw();
}

/** Draws in the stream what became of the log. */
function event({ event: name, cursor, reason, bytes: missing }) {
  if (name === "open" || name === "cursor") return store.cover(cursor);
  const amount = missing === null || missing === undefined ? "an unknown number of bytes" : `${missing} bytes`;
  const marks = {
    rotated: "The log was rotated; the next file follows",
    truncated: "The log was truncated; it goes on from its start",
    gap: `Gap: ${amount} missing here (${reason})`,
    restart: "Gap: the place to go on from is lost; the last lines follow",
  };
  if (!marks[name]) return;
  store.mark(marks[name], cursor);
  changed();
}

function state(word, text) {
  $("state").dataset.state = word;
  if ($("state").textContent !== text) $("state").textContent = text;
}

let beaten = 0;
function heard() {
  // More often is not seen, and would cost a repaint a message.
  if (Date.now() - beaten < 500) return;
  beaten = Date.now();
  $("beat").textContent = new Date().toLocaleTimeString([], { hour12: false });
  $("beat").classList.toggle("odd");
}

async function fetchOlder() {
  const [anchor, asked] = [store.anchor, store];
  if (before || !anchor || !log) return;
  before = "loading";
  sayTop("Loading older lines…");
  try {
    const older = await loadOlder(log, anchor);
    if (store !== asked) return;
    before = older.isGone ? "gone" : older.isStart ? "start" : "";
    if (store.anchor === anchor && older.bytes?.length) store.prepend(older.bytes, older.cursor);
    sayTop({ gone: "Older lines are gone", start: "Beginning of the file" }[before] ?? "");
    changed();
  } catch {
    if (store !== asked) return;
    sayTop("Older lines cannot be loaded now");
    setTimeout(() => (before = ""), 2000);
  }
}

let topTimer = 0;
function sayTop(text) {
  clearTimeout(topTimer);
  $("top").textContent = text;
  $("top").hidden = !text;
  topTimer = setTimeout(() => ($("top").hidden = true), 4000);
}

/** What came since the end was left. */
function sayNew() {
  const isAway = !view.isFollowing || frozen !== null;
  const from = frozen ?? left;
  const count = isFiltered() ? finder.ids.length - lowerBound(finder.ids, from) : store.end - from;
  $("new").hidden = !isAway || !log;
  const label = `${Math.max(0, count)} new lines`;
  if ($("new").getAttribute("aria-label") === label) return;
  $("new").setAttribute("aria-label", label);
  $("new").textContent = count === 1 ? "1 new line" : label;
}

function sayCount() {
  if (finder.error) return ($("count").textContent = "not a pattern");
  if (!finder.isActive) return ($("count").textContent = "");
  const at = current === null ? -1 : lowerBound(finder.ids, current);
  const place = finder.ids[at] === current && at >= 0 ? `${at + 1}/` : "";
  $("count").textContent = `${place}${finder.ids.length}${finder.isDone ? "" : "…"}`;
}

/** Jumps to the next or the previous match, and round at the ends. */
function jump(step) {
  const { ids } = finder;
  if (!ids.length) return;
  let index = step > 0 ? lowerBound(ids, (current ?? view.place - 1) + 1) : lowerBound(ids, current ?? view.place) - 1;
  index = (index + ids.length) % ids.length;
  current = ids[index];
  view.show(current);
  sayCount();
}

function search() {
  settings.q = $("search").value;
  current = null;
  finder.set({ ...settings, marks: settings.filter });
  $("search").setAttribute("aria-invalid", Boolean(finder.error));
  $("search").title = finder.error || "Search (/)";
  sayCount();
  writeFragment();
  view.redraw();
}

function pause() {
  frozen = frozen === null ? store.end : null;
  press("pause", frozen !== null);
  view.draw();
}

function toEnd() {
  if (frozen !== null) pause();
  view.follow();
}

function press(id, is) {
  $(id).setAttribute("aria-pressed", is);
}

/** Shows the settings in the controls. */
function applySettings() {
  for (const flag of ["wrap", "numbers", "times", "regex", "filter", "invert"]) press(flag, settings[flag]);
  $("search").value = settings.q;
  pane.classList.toggle("wrapped", settings.wrap);
  view.hold();
  view.isWrapped = settings.wrap;
  view.follow();
  search();
}

function toggle(flag) {
  settings[flag] = !settings[flag];
  press(flag, settings[flag]);
  if (flag === "wrap") {
    const wasFollowing = view.isFollowing;
    pane.classList.toggle("wrapped", settings.wrap);
    view.isWrapped = settings.wrap;
    if (wasFollowing) view.follow();
  }
  search();
}

function openChooser(is) {
  document.body.classList.toggle("choosing", is);
  $("logs").setAttribute("aria-expanded", is);
}

const clicks = {
  logs: () => openChooser(!document.body.classList.contains("choosing")),
  follow: () => (view.isFollowing ? view.hold() : toEnd()),
  pause,
  new: toEnd,
  next: () => jump(1),
  previous: () => jump(-1),
  copy: () => document.execCommand("copy"),
  download: () => download(log, lines, store),
  help: () => $("keys").showModal(),
  more: () => $("more").setAttribute("aria-expanded", document.body.classList.toggle("more")),
};
for (const flag of ["wrap", "numbers", "times", "regex", "filter", "invert"]) clicks[flag] = () => toggle(flag);
for (const [id, click] of Object.entries(clicks)) $(id).addEventListener("click", click);

$("raw").addEventListener("click", (click) => {
  click.preventDefault();
  openRaw(log);
});

const keys = {
  "/": () => $("search").select(),
  n: () => jump(1),
  N: () => jump(-1),
  g: () => view.showFirst(),
  G: toEnd,
  " ": pause,
  f: () => clicks.follow(),
  "?": () => clicks.help(),
};

document.addEventListener("keydown", (pressed) => {
  const isTyping = pressed.target.closest("input, dialog");
  const isButton = pressed.target.closest("button, a") && pressed.key === " ";
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || isTyping || isButton || !keys[pressed.key]) return;
  pressed.preventDefault();
  keys[pressed.key]();
});

$("search").addEventListener("input", search);
$("search").addEventListener("keydown", (pressed) => {
  if (pressed.key === "Enter") jump(pressed.shiftKey ? -1 : 1);
  if (pressed.key !== "Escape") return;
  $("search").value = "";
  search();
  pane.focus();
});

document.addEventListener("selectionchange", () => {
  const selection = getSelection();
  if (view.isFollowing && !selection.isCollapsed && pane.contains(selection.anchorNode)) view.hold();
});

addEventListener("popstate", () => {
  readFragment();
  applySettings();
  if (chosenLog() !== log) watch(chosenLog());
});
addEventListener("online", () => stream?.hurry());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  stream?.hurry();
  view.draw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view.redraw());

readFragment();
applySettings();
copyPlainly(pane, () => lines, () => store);
showFiles((name) => {
  if (name !== log) {
    history.pushState(null, "", logAddress(name).pathname + fragment());
    watch(name);
  }
  openChooser(innerWidth > 700);
  pane.focus({ preventScroll: true });
});
watch(chosenLog());
