// What the bar and the status line say of a pane.

import { plain } from "../text/lines.js";
import { timeOf } from "../text/time.js";
import { settings } from "./address.js";
import { press } from "./controls.js";
import { $, say } from "./dom.js";
import { bytes } from "./states.js";

// The state is the control: following, or held with what came since.
export function sayState(reader) {
  const { state, isAtEnd, fresh, rate, stream, entries, scan } = reader;
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
  const { count, place } = reader.search;
  say($("count"), scan.pattern ? `${place ? `${place}/` : ""}${count}${scan.isDone ? "" : "…"}` : scan.error);
}

// Where the view is: the time of the top line, its number, what is held of how much.
export function sayPlace(reader) {
  const { lines, view, store, size, picked, log, search } = reader;
  const id = lines.count ? lines.at(Math.max(0, Math.min(lines.count - 1, lines.index(view.isFollowing ? store.end - 1 : view.top.id)))) : null;
  const line = id === null ? null : lines.line(id);
  const number = id === null ? null : lines.number(id);
  const { dropped } = store;
  const count = store.end - store.first;
  say($("place"), [
    line && !line.isMark ? timeOf(plain(line.text))?.time : null,
    number && store.numbering.isKnown ? `line ${number.toLocaleString("en")}` : null,
    log && `${count.toLocaleString("en")} ${count === 1 ? "line" : "lines"} held`,
    size === null ? null : `of ${bytes(size)}`,
    picked && `${picked[1] - picked[0] + 1} selected`,
  ].filter(Boolean).join(" · "));
  say($("held"), dropped ? `${dropped} older lines dropped` : "");
  for (const name of ["link", "context"]) $(name).hidden = !picked || (name === "context" && !search.isShown);
}
