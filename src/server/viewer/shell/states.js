// What is said over, within and instead of the lines of a pane, and the ways out.

import { make, say } from "./dom.js";

const SHOWN = 4000;

export class States {
  #timer = 0;

  constructor(frame) {
    this.part = (name) => frame.querySelector(`.${name}`);
  }

  // Over the first lines, for some seconds.
  note(text) {
    clearTimeout(this.#timer);
    say(this.part("top"), text);
    this.part("top").hidden = !text;
    this.#timer = setTimeout(() => (this.part("top").hidden = true), SHOWN);
  }

  // What was searched; `share` of it, or null; `ways` are what can be done about it: names and what they do.
  scope(text, ways = {}, share = undefined) {
    this.#fill("scope", text, ways);
    const bar = this.part("bar");
    bar.hidden = share === undefined;
    if (share === null) bar.removeAttribute("value");
    else if (share !== undefined) bar.value = share;
  }

  // Why nothing is shown.
  empty(text, ways = {}) {
    this.#fill("empty", text, ways);
  }

  #fill(name, text, ways) {
    const part = this.part(name);
    part.hidden = !text;
    say(part.querySelector(".said"), text);
    const buttons = part.querySelector(".ways");
    const names = Object.keys(ways);
    if (names.join() !== [...buttons.children].map(({ textContent }) => textContent).join()) {
      buttons.replaceChildren(...names.map((way) => make("button", "", way)));
    }
    for (const button of buttons.children) button.onclick = ways[button.textContent];
  }

  // The button that leads to the end, and how many lines came since that was left; there may be more than are read.
  away(isAway, count, isMore) {
    const button = this.part("new");
    button.hidden = !isAway;
    button.ariaLabel = count > 0 ? `${count} new ${count === 1 ? "line" : "lines"}${isMore ? " or more" : ""}` : "To the end";
    say(button, button.ariaLabel);
  }
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

export function bytes(size) {
  const power = Math.min(4, Math.floor(Math.log10(Math.max(1, size)) / 3));
  return `${Number((size / 1000 ** power).toPrecision(3))} ${["B", "KB", "MB", "GB", "TB"][power]}`;
}
