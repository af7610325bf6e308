// A strip beside the lines: where in all that are shown the errors, the matches and the gaps are, and where the view is.

import { ERROR, LEVEL, MARK } from "../text/levels.js";

// So often it is drawn, in milliseconds.
const PAUSE = 250;
// Of more lines those of a block are drawn at one place, and some of the matches.
const SAMPLES = 20_000;
// Which of the canvas's colours they have: only these are resolved to what can be drawn with.
const [ERRORS, MARKS, FOUND] = ["outlineColor", "columnRuleColor", "caretColor"];

export class Ruler {
  #timer = 0;

  constructor(frame, reader) {
    [this.canvas, this.reader] = [frame.querySelector(".ruler"), reader];
    this.canvas.onclick = ({ offsetY }) => reader.view.jump(Math.floor((offsetY / this.canvas.clientHeight) * reader.lines.count));
  }

  draw() {
    this.#timer ||= setTimeout(() => this.#now(), PAUSE);
  }

  #now() {
    this.#timer = 0;
    const { canvas } = this;
    const { lines, entries, scan, view } = this.reader;
    const [width, height] = [(canvas.width = canvas.clientWidth), (canvas.height = canvas.clientHeight)];
    const style = getComputedStyle(canvas);
    const pen = canvas.getContext("2d");
    const { count } = lines;
    if (!count || !height) return;
    // Many lines are one pixel.
    const drawn = new Set();
    const tick = (index, colour, left) => {
      const top = Math.min(height - 2, Math.floor((index / count) * height));
      if (drawn.has(colour + top)) return;
      drawn.add(colour + top);
      pen.fillStyle = style[colour];
      pen.fillRect(left, top, width / 2, 2);
    };
    if (count > SAMPLES) {
      for (const [first, isMark, errors] of entries.blocks) if (isMark || errors) tick(lines.index(first), isMark ? MARKS : ERRORS, 0);
    }
    for (let index = 0; index < count && count <= SAMPLES; index++) {
      const id = lines.at(index);
      const code = lines.isFar(id) ? 0 : entries.known(id);
      if (code === MARK) tick(index, MARKS, 0);
      else if ((code & LEVEL) >= ERROR) tick(index, ERRORS, 0);
    }
    const every = Math.max(1, Math.floor(scan.found.length / SAMPLES));
    for (let match = 0; match < scan.found.length; match += every) tick(lines.index(scan.found[match]), FOUND, width / 2);
    pen.strokeStyle = style.color;
    const share = Math.min(1, view.pane.clientHeight / 18 / count);
    const top = view.isFollowing ? 1 - share : Math.min(1 - share, lines.index(view.top.id) / count);
    pen.strokeRect(0.5, top * height + 0.5, width - 1, Math.max(3, share * height - 1));
  }
}
