// When older lines are loaded: as the reader comes near the first one. Where a filter shows few of them this would have no
// end, so it rests after some pages, and where the page is full.

import { note } from "../shell/notes.js";
import { loadOlder } from "./older.js";

const PAGES = 10;
const PAGES_ASKED = 100;
// After a page that could not be loaded, in milliseconds.
const REST = 2000;

let log;
let store;
let told;
// The store for which a page is under way.
let busy = null;
// The first line of all, once it is known.
let oldest = null;
// So many pages a filter may still have.
let pages = PAGES;
// A filter loads pages, or rests until it is told to go on.
let isFilling = false;
let isResting = false;

// Calls `prepended()` after older lines came, `reached()` when there are none.
export function restart(name, other, hooks) {
  [log, store, told, oldest, pages] = [name, other, hooks, null, PAGES];
}

// The reader is near the first line.
export async function wish(isFiltered) {
  const { anchor, first, end } = store;
  if (busy === store || first === oldest || !anchor) return;
  const searched = `${end - first} lines are searched`;
  isFilling = isFiltered;
  isResting = isFiltered && !pages;
  if (isFiltered && store.isFull) return note(`${searched}: no more can be held`);
  if (isResting) return note(searched, "Search older lines");
  if (isFiltered) pages--;
  await load(anchor, isFiltered ? "Stop" : "");
}

// The reader is elsewhere.
export function rest() {
  if (!isFilling || busy === store) return;
  [pages, isFilling] = [PAGES, false];
  note("");
}

// The button: stops, or goes on.
export function press() {
  pages = isResting ? PAGES_ASKED : 0;
}

async function load(anchor, button) {
  const asked = (busy = store);
  note("Loading older lines…", button);
  const older = await loadOlder(log, anchor);
  if (store !== asked) return;
  if (!older) {
    note("Older lines could not be loaded");
    return setTimeout(() => (busy = busy === asked ? null : busy), REST);
  }
  busy = null;
  const isNone = older.isGone || !older.bytes.length;
  if (isNone) note(older.isGone ? "Older lines are gone" : "Beginning of the file");
  else if (!isFilling) note("");
  if (isNone) {
    oldest = store.first;
    if (!older.isGone) store.numbering.begin(store.first);
    told.reached();
  } else if (store.anchor === anchor) {
    store.prepend(older.bytes, older.cursor);
    told.prepended();
  }
}
