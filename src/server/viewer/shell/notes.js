// What is said above and below the lines.

import { $, say } from "./dom.js";

const SHOWN = 4000;
let timer = 0;

// A note over the first lines: for some seconds, or with a button for as long as it is not another one.
export function note(text, button = "") {
  clearTimeout(timer);
  say($("note"), text);
  say($("older"), button);
  $("older").hidden = !button;
  $("top").hidden = !text;
  if (!button) timer = setTimeout(() => ($("top").hidden = true), SHOWN);
}

export function sayHeld(dropped) {
  say($("held"), dropped ? `${dropped} older lines dropped` : "");
}

// The button that leads to the end, and how many lines came since that was left; there may be more than are read.
export function sayNew(isAway, count, isMore) {
  $("new").hidden = !isAway;
  const lines = `${count} new ${count === 1 ? "line" : "lines"}${isMore ? " or more" : ""}`;
  $("new").ariaLabel = count > 0 ? lines : "To the end";
  say($("new"), $("new").ariaLabel);
}

// The line that stands where something became of the log; undefined for events that are not shown.
export function markText(event, missing, reason) {
  return {
    rotated: "The log was rotated: the next file starts here",
    truncated: "The log was truncated: it starts again here",
    gap: `Gap: ${missing ?? "an unknown number of"} bytes missing here (${reason})`,
    restart: "Gap: the place to go on from is lost; the last lines follow",
  }[event];
}
