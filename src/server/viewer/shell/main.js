// The page: what a click and a key lead to, and what the bars say.

import { LEVELS } from "../text/levels.js";
import { FLAGS, fragment, readSettings, settings, writeSettings } from "./address.js";
import { sayPlace, sayState } from "./bars.js";
import { bind, press, unfold } from "./controls.js";
import { $, say } from "./dom.js";
import { markChosen, showFiles } from "./files.js";
import { chosenLog, logAddress, nameOf } from "./links.js";
import { hasToken } from "./net.js";
import { Reader } from "./reader.js";
import { setUpPicking } from "./picking.js";
import { copyPlainly, download, openRaw, texts } from "./take.js";

const isNarrow = () => matchMedia("(max-width: 700px), (max-height: 500px)").matches;
// Readers, the first of which the page's address names; and the one that bars and keys are about.
const readers = [];
let active;
// What was read last is written to the address once it has rested, in milliseconds.
const REST = 400;
let restTimer = 0;

const hooks = {
  changed: () => active && sayState(active),
  moved() {
    sayPlace(active);
    clearTimeout(restTimer);
    restTimer = setTimeout(rest, REST);
  },
  apply,
  clear() {
    [settings.filter, settings.level, $("search").value] = [false, "", ""];
    search();
    apply();
  },
  // Shows a place; the browser's Back leads here again.
  go(at, isContext = false) {
    rest();
    Object.assign(settings, { at, n: "1" }, isContext && { filter: false, level: "" });
    writeSettings(true);
    apply();
    active.watch(active.log, { at, count: 1 });
  },
};

// The place that is read stands in the address, so that it is there again after a reload.
function rest() {
  const { log, isAtEnd, view, picked, current } = active;
  if (!log || active !== readers[0] || active.paging.isBusy) return;
  const at = isAtEnd && !picked ? null : active.place(picked?.[0] ?? current ?? view.top.id);
  [settings.at, settings.n] = [at ?? "", at && picked ? String(picked[1] - picked[0] + 1) : ""];
  writeSettings();
}

// Shows a second log beside the first one, or no more.
function showBeside() {
  const { beside } = settings;
  if (readers[1]?.log === beside || (!readers[1] && !beside)) return;
  readers.splice(1).forEach((reader) => reader.close());
  active = readers[0];
  if (beside) {
    const frame = blank.cloneNode(true);
    for (const part of [frame, ...frame.querySelectorAll("[id]")]) part.removeAttribute("id");
    $("frames").append(frame);
    readers.push(read(frame));
    apply();
    readers[1].watch(beside);
  }
  name();
}

// With two panes each has the name of its log.
function name() {
  for (const { frame, view, log } of readers) {
    const title = frame.querySelector(".title");
    say(title, nameOf(log));
    title.hidden = readers.length < 2;
    view.pane.ariaLabel = readers.length < 2 ? "Log" : `Log ${nameOf(log)}`;
  }
  press("beside", readers.length > 1);
}

// A pane that bars and keys are about once it is touched.
function read(frame) {
  const reader = new Reader(frame, hooks);
  const choose = () => {
    active = reader;
    sayState(active);
    sayPlace(active);
  };
  frame.addEventListener("pointerdown", choose);
  frame.addEventListener("focusin", choose);
  return reader;
}

function open(log) {
  clearTimeout(restTimer);
  document.title = $("name").textContent = log ? nameOf(log) : "wstail";
  document.body.classList.toggle("chosen", log !== "");
  $("raw").href = logAddress(log, { lines: "all", view: "text" });
  unfold("logs", !log || !isNarrow());
  markChosen(log);
  const at = settings.at && { at: settings.at, count: Number(settings.n) };
  readers[0].watch(log, at || {});
  showBeside();
  name();
}

function search() {
  settings.q = $("search").value;
  for (const reader of readers) {
    reader.view.keep();
    reader.current = null;
    reader.search.restart();
    reader.scan.search({ ...settings, level: Math.max(0, LEVELS.indexOf(settings.level)) });
    reader.view.redraw();
  }
  writeSettings();
  sayState(active);
}

function apply() {
  for (const flag of FLAGS) press(flag, settings[flag]);
  $("search").value = settings.q;
  for (const reader of readers) reader.view.wrap(settings.wrap);
  search();
}

async function goTo(time) {
  if (!time.trim()) return;
  rest();
  writeSettings(true);
  if (await active.watch(active.log, { since: time.trim() })) active.view.pane.focus({ preventScroll: true });
}

const level = (name) => () => {
  settings.level = settings.level === name ? "" : name;
  apply();
};
const actions = {
  logs: () => unfold("logs"),
  more: () => unfold("more"),
  beside() {
    isBeside = !settings.beside;
    settings.beside = "";
    writeSettings(true);
    showBeside();
    if (!isBeside) return;
    active.states.note("Choose the log to show beside");
    unfold("logs", true);
    $("find-log").focus();
  },
  follow: () => active.turn(),
  new: () => active.toEnd(),
  first: () => active.view.jump(0),
  find: () => $("search").select(),
  next: () => active.search.jump(1),
  previous: () => active.search.jump(-1),
  error: () => active.search.error(1),
  errorBefore: () => active.search.error(-1),
  errors: level("error"),
  warnings: level("warn"),
  time: () => $("time").focus(),
  copy: () => document.execCommand("copy"),
  async link() {
    rest();
    await navigator.clipboard?.writeText(location.href);
    active.states.note("The link is copied");
  },
  context: () => active.search.context(active.picked?.[0] ?? active.current ?? active.view.top.id),
  download: () => active.keep(download(active.log, texts(active.lines.ids(0, active.lines.count - 1), active.lines))),
  raw(click) {
    if (!hasToken()) return;
    click.preventDefault();
    openRaw(active.log);
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
  if (key === "Enter") active.search.jump(shiftKey ? -1 : 1);
  if (key !== "Escape") return;
  $("search").value = "";
  search();
  active.view.pane.focus();
});
$("time").addEventListener("keydown", ({ key }) => key === "Enter" && goTo($("time").value));
addEventListener("popstate", () => {
  const { at } = settings;
  readSettings();
  apply();
  showBeside();
  if (chosenLog() !== readers[0].log || settings.at !== at) open(chosenLog());
});
const streams = (act) => () => readers.forEach(({ stream }) => stream && act(stream));
addEventListener("offline", streams((stream) => stream.doubt()));
addEventListener("online", streams((stream) => stream.hurry()));
document.addEventListener("visibilitychange", streams((stream) => document.hidden || stream.hurry()));
document.addEventListener("selectionchange", () => {
  const { view } = active;
  const selection = getSelection();
  if (view.isFollowing && !selection.isCollapsed && view.pane.contains(selection.anchorNode)) view.hold();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => readers.forEach(({ view }) => view.redraw()));

const blank = $("frame").cloneNode(true);
// The next log that is chosen is shown beside.
let isBeside = false;
active = read($("frame"));
readers.push(active);
bind(actions);
setUpPicking(() => active);
readSettings();
apply();
copyPlainly(() => active);
showFiles((name) => {
  if (isBeside) {
    [isBeside, settings.beside] = [false, name];
    writeSettings(true);
    showBeside();
  } else if (name !== readers[0].log) {
    history.pushState(null, "", logAddress(name) + fragment(true));
    settings.at = settings.n = "";
    open(name);
  }
  unfold("logs", !isNarrow());
  active.view.pane.focus({ preventScroll: true });
});
open(chosenLog());
if (active.log) active.view.pane.focus({ preventScroll: true, focusVisible: false });
