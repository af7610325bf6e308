// The list of logs: newest first, searchable, refreshed by itself.

import { $, arrange, make, say } from "./dom.js";
import { decode, encode, filesAddress, logAddress } from "./links.js";
import { visible } from "../text/lines.js";
import { ask, askPerson } from "./net.js";
import { bytes } from "./states.js";

const REFRESH = 5_000;
// A list of many logs may take its time over a slow link; the link is for the log most of the time.
const PATIENCE = 300_000;
const SHARE = 10;
const SHOWN = 200;
const links = new Map();
const headings = new Map();
// None before the first answer.
let listing = null;
let etag = "";
let chosen = "";
let timer = 0;
let isUnderWay = false;

const isSeen = () => !document.hidden && document.body.classList.contains("logs");

// Keeps the list while the page is seen; `choose(log)` is told what is chosen.
export function showFiles(choose) {
  $("list").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(link.dataset.log);
  });
  $("find-log").addEventListener("input", draw);
  $("chooser").addEventListener("keydown", (event) => {
    const all = [...$("list").querySelectorAll("a")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" && event.target === $("find-log")) all[0]?.click();
    if (!step) return;
    event.preventDefault();
    (all[all.indexOf(document.activeElement) + step] ?? $("find-log")).focus();
  });
  document.addEventListener("visibilitychange", refresh);
  $("logs").addEventListener("click", refresh);
}

export function markChosen(log) {
  chosen = log;
  draw();
  if (!timer) refresh();
}

// Asks for the list while somebody looks at it, and again after some time.
async function refresh() {
  if (isUnderWay) return;
  clearTimeout(timer);
  timer = 0;
  if (!isSeen()) return;
  isUnderWay = true;
  const began = performance.now();
  const isRefused = await load().catch(() => say($("list-note"), "The list could not be loaded."));
  isUnderWay = false;
  const took = performance.now() - began;
  timer = setTimeout(refresh, isRefused ? 0 : Math.max(REFRESH, SHARE * took));
}

// Whether a token was needed, and is there now.
async function load() {
  const answer = await ask(filesAddress, { signal: AbortSignal.timeout(PATIENCE) }, etag && { "If-None-Match": etag });
  if (answer.status === 401) return askPerson(answer.token).then(() => true);
  if (answer.status === 304) return false;
  if (!answer.ok) throw answer.status;
  listing = await answer.json();
  etag = answer.headers.get("ETag") ?? "";
  draw();
  return false;
}

function draw() {
  const wanted = $("find-log").value.toLowerCase().split(/\s+/);
  const found = (listing?.files ?? []).filter(({ path }) => wanted.every((word) => path.toLowerCase().includes(word)));
  const groups = Map.groupBy(found.slice(0, SHOWN), ({ path }) => path.slice(0, path.lastIndexOf("/") + 1));
  arrange($("list"), [...groups].flatMap(([folder, files]) => [...(folder ? [heading(folder)] : []), ...files.map(item)]));
  say($("list-note"), remark(found.length));
}

// The name of a directory, above its logs.
function heading(folder) {
  if (!headings.has(folder)) headings.set(folder, make("li", "folder", visible(folder)));
  return headings.get(folder);
}

function remark(count) {
  if (!listing) return "Loading the list…";
  if (count > SHOWN) return `${count - SHOWN} more: find them by name.`;
  if (count) return listing.cut ? "The list is incomplete: there are more logs." : "";
  return listing.files.length ? "No log matches." : "There are no logs yet.";
}

function item({ path, size, modified }) {
  if (!links.has(path)) links.set(path, newLink(path));
  const link = links.get(path);
  say(link.children[1], bytes(size));
  say(link.children[2], since(Date.now() / 1000 - modified));
  link.ariaCurrent = path === decode(chosen) ? "page" : null;
  return link.parentElement;
}

function newLink(path) {
  const link = make("a");
  link.dataset.log = encode(path);
  link.href = logAddress(link.dataset.log);
  const start = path.lastIndexOf("/") + 1;
  const name = make("span", "path");
  name.append(make("span", "unseen", visible(path.slice(0, start))), visible(path.slice(start)));
  link.append(name, " ", make("span", "size"), " ", make("span", "age"));
  make("li").append(link);
  return link;
}

function since(seconds) {
  const found = [[86_400, "d"], [3_600, "h"], [60, "min"]].find(([length]) => seconds >= length);
  return found ? `${Math.floor(seconds / found[0])} ${found[1]}` : "now";
}
