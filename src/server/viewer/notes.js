// What is said above and below the lines.

import { $, say } from "./dom.js";

const SHOWN = 4000;
let timer = 0;

// A note over the first lines, for some seconds.
export function note(text) {
  clearTimeout(timer);
  $("top").textContent = text;
  $("top").hidden = !text;
  timer = setTimeout(() => ($("top").hidden = true), SHOWN);
}

export function sayHeld(dropped) {
  say($("held"), dropped ? `${dropped} older lines dropped` : "");
}

// The button that leads to the end, and how many lines came since that was left.
export function sayNew(isAway, count) {
  $("new").hidden = !isAway;
  $("new").ariaLabel = count > 0 ? `${count} new ${count === 1 ? "line" : "lines"}` : "To the end";
  say($("new"), $("new").ariaLabel);
}
