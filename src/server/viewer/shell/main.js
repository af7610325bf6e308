// The page: what a click and a key lead to, and what the bars say.

import { LEVELS } from "../text/levels.js";
import { timeOf } from "../text/time.js";
import { plain } from "../text/lines.js";
import { FLAGS, fragment, readSettings, settings, writeSettings } from "./address.js";
import { bind, press, unfold } from "./controls.js";
import { $, say } from "./dom.js";
import { markChosen, showFiles } from "./files.js";
import { chosenLog, logAddress, nameOf } from "./links.js";
import { hasToken } from "./net.js";
import { Reader } from "./reader.js";
import { setUpPicking } from "./picking.js";
import { bytes } from "./states.js";
import { copyPlainly, download, openRaw, texts } from "./take.js";

const isNarrow = () => matchMedia("(max-width: 700px), (max-height: 500px)").matches;
// Readers, the first of which the page's address names; and the one that bars and keys are about.
const readers = [];
let active;
// What was read last is written to the address once it has rested, in milliseconds.
const REST = 400;
let restTimer = 0;

const hooks = {
  changed: () => readers.length && sayState(),
  moved() {
    sayPlace();
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

function open(log) {
  clearTimeout(restTimer);
  document.title = $("name").textContent = log ? nameOf(log) : "wstail";
  document.body.classList.toggle("chosen", log !== "");
  $("raw").href = logAddress(log, { lines: "all", view: "text" });
  unfold("logs", !log || !isNarrow());
  markChosen(log);
  const at = settings.at && { at: settings.at, count: Number(settings.n) };
  readers[0].watch(log, at || {});
}

// The state is the control: following, or held with what came since.
function sayState() {
  const { state, isAtEnd, fresh, rate, stream, entries, scan } = active;
  const [word, text] = state;
  const isLive = word === "live";
  const more = fresh ? `, ${fresh} new${stream?.isHeld ? " or more" : ""}` : "";
  const held = word === "held" && stream ? `Full${more}` : `Held${more}`;
  $("follow").dataset.state = isLive && !isAtEnd ? "held" : word;
  say($("follow"), isLive || word === "held" ? (isAtEnd ? `${text}${rate ? ` ${rate}/s` : ""}` : held) : text);
  $("follow").ariaLabel = `Follow: ${$("follow").textContent}`;
  press("follow", isAtEnd);
  say($("state"), isAtEnd || !isLive ? (word === "held" && stream ? "Full" : text) : "Held");
  const [warnings, errors] = entries.counts;
  for (const [id, count, level] of [["errors", errors, "error"], ["warnings", warnings, "warn"]]) {
    say($(id).lastChild, String(count));
    $(id).ariaLabel = `${count} ${count === 1 ? id.slice(0, -1) : id}`;
    press(id, settings.level === level);
  }
  $("search").setAttribute("aria-invalid", scan.error !== "");
  const { count, place } = active.search;
  say($("count"), scan.pattern ? `${place ? `${place}/` : ""}${count}${scan.isDone ? "" : "…"}` : scan.error);
}

// Where the view is: the time of the top line, its number, what is held of how much.
function sayPlace() {
  const { lines, view, store, size, picked } = active;
  const id = lines.count ? lines.at(Math.max(0, Math.min(lines.count - 1, lines.index(view.isFollowing ? store.end - 1 : view.top.id)))) : null;
  const line = id === null ? null : lines.line(id);
  const number = id === null ? null : lines.number(id);
  const { dropped } = store;
  const count = store.end - store.first;
  say($("place"), [
    line && !line.isMark ? timeOf(plain(line.text))?.time : null,
    number && store.numbering.isKnown ? `line ${number.toLocaleString("en")}` : null,
    active.log && `${count.toLocaleString("en")} ${count === 1 ? "line" : "lines"} held`,
    size === null ? null : `of ${bytes(size)}`,
    picked && `${picked[1] - picked[0] + 1} selected`,
  ].filter(Boolean).join(" · "));
  say($("held"), dropped ? `${dropped} older lines dropped` : "");
  for (const name of ["link", "context"]) $(name).hidden = !picked || (name === "context" && !active.search.isShown);
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
  sayState();
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
  if (chosenLog() !== active.log || settings.at !== at) open(chosenLog());
});
addEventListener("offline", () => active.stream?.doubt());
addEventListener("online", () => active.stream?.hurry());
document.addEventListener("visibilitychange", () => document.hidden || active.stream?.hurry());
document.addEventListener("selectionchange", () => {
  const { view } = active;
  const selection = getSelection();
  if (view.isFollowing && !selection.isCollapsed && view.pane.contains(selection.anchorNode)) view.hold();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => active.view.redraw());

active = new Reader($("frame"), hooks);
readers.push(active);
bind(actions);
setUpPicking(() => active);
readSettings();
apply();
copyPlainly(() => active);
showFiles((name) => {
  if (name !== active.log) {
    history.pushState(null, "", logAddress(name) + fragment(true));
    settings.at = settings.n = "";
    open(name);
  }
  unfold("logs", !isNarrow());
  active.view.pane.focus({ preventScroll: true });
});
open(chosenLog());
if (active.log) active.view.pane.focus({ preventScroll: true, focusVisible: false });
