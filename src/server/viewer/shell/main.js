// The page: what a line, a click and a key lead to.

import { styleBefore } from "../text/carried.js";
import { bind, press, unfold } from "./controls.js";
import { $, say } from "./dom.js";
import { markChosen, showFiles } from "./files.js";
import { chosenLog, logAddress, nameOf } from "./links.js";
import * as paging from "../log/paging.js";
import { markText, note, sayHeld, sayNew } from "./notes.js";
import * as view from "../view/pane.js";
import { clock, row } from "../view/row.js";
import * as matches from "../log/scan.js";
import { paint } from "../view/selection.js";
import { FLAGS, firstLines, fragment, readSettings, settings, writeSettings } from "./settings.js";
import { Store } from "../log/store.js";
import { follow } from "../log/stream.js";
import { copyPlainly, download, openRaw, texts } from "./take.js";
import { hasToken } from "./token.js";

let log = "";
let store = new Store();
let stream = null;
// While paused, the number after the last line that is shown.
let frozen = null;
// The number after the last line when the end was left.
let left = 0;
// So much is being taken along.
let taken = 0;
// The match that was jumped to.
let current = null;

const isFiltered = () => settings.filter && matches.isActive();
// New lines are shown as they come.
const isAtEnd = () => view.isFollowing && frozen === null;
const end = () => Math.min(frozen ?? Infinity, store.end);

// What is shown, for the pane.
const lines = {
  get count() {
    return isFiltered() ? matches.before(end()) : Math.max(0, end() - store.first);
  },
  at: (index) => (isFiltered() ? matches.ids[index] : store.first + index),
  index: (id) => (isFiltered() ? matches.before(id) : id - store.first),
  // Those that are there now, whatever comes before them.
  ids: (from, to) => (isFiltered() ? matches.ids.slice(from, to + 1) : range(store.first + from, store.first + to)),
  key: (id) => `${store.line(id).state} ${id === current} ${matches.patternIn(id)}`,
  element: (id) =>
    row(store.line(id), store.numbering.number(id), styleBefore(store, id), matches.patternIn(id), id === current),
};

function* range(from, to) {
  for (let id = from; id <= to; id++) yield id;
}

function watch(name) {
  stream?.close();
  stream = null;
  log = name;
  store = new Store();
  [frozen, left, current] = [null, 0, null];
  paging.restart(log, store, { prepended, reached: () => view.redraw() });
  matches.restart(store);
  press("pause", false);
  read();
  document.title = $("name").textContent = log ? nameOf(log) : "wstail";
  document.body.classList.toggle("chosen", log !== "");
  $("raw").href = logAddress(log, { lines: "all", view: "text" });
  unfold("logs", !log || innerWidth > 700);
  markChosen(log);
  changed();
  view.redraw();
  view.follow();
  state("idle", log ? "Connecting" : "Choose a log");
  const { lines, remark } = firstLines();
  if (log) note(remark);
  stream = log ? follow(log, lines, { bytes, event, state, heard: () => say($("beat"), clock.format()) }) : null;
}

function bytes(received) {
  store.append(received);
  if (store.isHeld && store.isFull) stream.hold();
  changed();
}

function changed() {
  sayHeld(store.dropped);
  matches.scan();
  view.draw();
}

// What became of the log is drawn where it happened.
function event({ event: name, cursor, size, reason, bytes: missing }) {
  if (name === "open") store.expect(firstLines().lines, size);
  if (name === "open" || name === "cursor") return store.cover(cursor);
  const text = markText(name, missing, reason);
  if (!text) return;
  store.mark(text, cursor, ["rotated", "truncated"].includes(name) ? 1 : null);
  changed();
}

function state(word, text) {
  $("state").dataset.state = word;
  say($("state"), text);
}

// Older lines came: where there are too many now, the newest ones are read again later.
function prepended() {
  const place = store.cut();
  if (place) {
    stream?.hold(place);
    matches.cut();
  }
  changed();
}

function painted(isNearTop) {
  if (!isNearTop) paging.rest();
  else if (!isFiltered() || matches.isDone()) paging.wish(isFiltered());
  paint();
  // What came since the end was left.
  const from = frozen ?? left;
  const count = isFiltered() ? matches.ids.length - matches.before(from) : store.end - from;
  sayNew(log && !isAtEnd(), count - store.numbering.marksBetween(from, store.end), stream?.isHeld);
}

function sayCount() {
  $("search").setAttribute("aria-invalid", matches.error !== "");
  if (!matches.isActive()) return say($("count"), matches.error);
  const place = matches.has(current) ? `${matches.before(current) + 1}/` : "";
  say($("count"), `${place}${matches.ids.length}${matches.isDone() ? "" : "…"}`);
}

// Jumps to the next or the previous match, and round at the ends.
function jump(step) {
  const { ids } = matches;
  if (!ids.length) return;
  const from = current ?? view.top.id;
  const index = matches.before(from) + (step < 0 ? -1 : matches.has(current) ? 1 : 0);
  current = ids[(index + ids.length) % ids.length];
  view.show(current);
  sayCount();
}

function search() {
  view.keep();
  settings.q = $("search").value;
  current = null;
  matches.search(settings);
  sayCount();
  writeSettings();
  view.redraw();
}

function pause() {
  frozen = frozen === null ? store.end : null;
  press("pause", frozen !== null);
  read();
  view.draw();
}

function following(is) {
  if (!is) left = end();
  read();
}

// What somebody reads is kept: where that fills the page, the stream is held until the end is followed again.
function read() {
  store.isHeld = !isAtEnd() || taken > 0;
  if (!store.isHeld) stream?.goOn();
  press("follow", isAtEnd());
}

// What is taken along is kept, too.
function keep(task) {
  taken++;
  read();
  return task.finally(() => (taken--, read()));
}

function toEnd() {
  if (frozen !== null) pause();
  view.follow();
}

function apply() {
  for (const flag of FLAGS) press(flag, settings[flag]);
  $("search").value = settings.q;
  view.wrap(settings.wrap);
  search();
}

const actions = {
  logs: () => unfold("logs"),
  more: () => unfold("more"),
  follow: () => (isAtEnd() ? view.hold() : toEnd()),
  pause,
  new: toEnd,
  first: () => view.jump(0),
  find: () => $("search").select(),
  next: () => jump(1),
  previous: () => jump(-1),
  copy: () => document.execCommand("copy"),
  download: () => keep(download(log, texts(lines.ids(0, lines.count - 1), store))),
  raw(click) {
    if (!hasToken()) return;
    click.preventDefault();
    openRaw(log);
  },
  older() {
    paging.press();
    view.draw();
  },
  help: () => $("keys").showModal(),
};
for (const flag of FLAGS) {
  actions[flag] = () => {
    settings[flag] = !settings[flag];
    apply();
  };
}

$("search").addEventListener("input", search);
$("search").addEventListener("keydown", ({ key, shiftKey }) => {
  if (key === "Enter") jump(shiftKey ? -1 : 1);
  if (key !== "Escape") return;
  $("search").value = "";
  search();
  $("pane").focus();
});
document.addEventListener("selectionchange", () => {
  const selection = getSelection();
  if (view.isFollowing && !selection.isCollapsed && $("pane").contains(selection.anchorNode)) view.hold();
});
addEventListener("popstate", () => {
  readSettings();
  apply();
  if (chosenLog() !== log) watch(chosenLog());
});
addEventListener("offline", () => stream?.doubt());
addEventListener("online", () => stream?.hurry());
document.addEventListener("visibilitychange", () => document.hidden || stream?.hurry());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view.redraw());

bind(actions);
view.setUp(lines, { following, painted });
matches.setUp(store, () => {
  sayCount();
  view.draw();
});
readSettings();
apply();
copyPlainly(lines, () => store, keep);
showFiles((name) => {
  if (name !== log) {
    history.pushState(null, "", logAddress(name) + fragment());
    watch(name);
  }
  unfold("logs", innerWidth > 700);
  $("pane").focus({ preventScroll: true });
});
watch(chosenLog());
if (log) $("pane").focus({ preventScroll: true });
