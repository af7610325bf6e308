// A line of text to what is shown of it: colours become runs, other escapes go, control characters become visible.

const ESCAPE =
  /\x1b\[([0-?]*)[ -\/]*([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -\/]*[0-~]?/g;
// Control characters, and those that would turn the direction of what follows.
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// Enough for 4.5 on a tinted row, too.
const ENOUGH = 6;
const dark = matchMedia("(prefers-color-scheme: dark)");
const SIXTEEN = [
  [0, 0, 0], [187, 30, 30], [20, 120, 40], [150, 100, 0], [30, 80, 200], [150, 40, 150], [0, 120, 130], [190, 190, 190],
  [110, 110, 110], [240, 80, 80], [60, 190, 90], [220, 180, 50], [90, 140, 255], [220, 110, 220], [60, 200, 210], [255, 255, 255],
];

/** The text that a line shows. */
export function plain(text) {
  return visible(text.includes("\x1b") ? text.replace(ESCAPE, "") : text);
}

/** A line as runs of text, each with its style or null. At most `limit` of them are told apart. */
export function runs(text, limit) {
  if (!text.includes("\x1b")) return [{ text: visible(text), style: null }];
  const found = [];
  let at = 0;
  let style = {};
  const add = (piece) => {
    if (piece) found.push({ text: visible(piece), style: found.length < limit ? css(style) : null });
  };
  for (const escape of text.matchAll(ESCAPE)) {
    add(text.slice(at, escape.index));
    at = escape.index + escape[0].length;
    if (escape[2] === "m") style = select({ ...style }, escape[1]);
  }
  add(text.slice(at));
  return found;
}

function visible(text) {
  return text.replace(CONTROL, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "␡" : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

/** Applies the parameters of an SGR sequence. */
function select(style, parameters) {
  const codes = parameters.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    if (code === 0) style = {};
    else if (code === 1) style.bold = true;
    else if (code === 2) style.faint = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 7) style.reverse = true;
    else if (code === 9) style.strike = true;
    else if (code === 22) style.bold = style.faint = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underline = false;
    else if (code === 27) style.reverse = false;
    else if (code === 29) style.strike = false;
    else if (code === 39) style.front = null;
    else if (code === 49) style.back = null;
    else if (code >= 30 && code <= 37) style.front = SIXTEEN[code - 30];
    else if (code >= 90 && code <= 97) style.front = SIXTEEN[code - 82];
    else if (code >= 40 && code <= 47) style.back = SIXTEEN[code - 40];
    else if (code >= 100 && code <= 107) style.back = SIXTEEN[code - 92];
    else if (code === 38 || code === 48) {
      const colour = codes[at + 1] === 5 ? indexed(codes[at + 2]) : codes.slice(at + 2, at + 5);
      at += codes[at + 1] === 5 ? 2 : 4;
      if (colour?.length === 3) style[code === 38 ? "front" : "back"] = colour.map((part) => part & 255);
    }
  }
  return style;
}

/** One of the 256 colours. */
function indexed(index) {
  if (index < 16) return SIXTEEN[index];
  if (index >= 232) return Array(3).fill(8 + 10 * (index - 232));
  const level = (step) => (step ? 55 + 40 * step : 0);
  index -= 16;
  return [Math.floor(index / 36), Math.floor(index / 6) % 6, index % 6].map(level);
}

function css(style) {
  const ground = dark.matches ? [22, 25, 29] : [255, 255, 255];
  let { front, back } = style;
  if (style.reverse) [front, back] = [back ?? ground, front ?? (dark.matches ? [220, 224, 228] : [30, 34, 38])];
  const look = {};
  if (back) look.backgroundColor = rgb(back);
  if (front || back) look.color = rgb(readable(front ?? (luminance(back) > 0.2 ? [0, 0, 0] : [255, 255, 255]), back ?? ground));
  if (style.bold) look.fontWeight = "bold";
  if (style.italic) look.fontStyle = "italic";
  if (style.faint && !front) look.color = "var(--faint)";
  const lines = [style.underline && "underline", style.strike && "line-through"].filter(Boolean).join(" ");
  if (lines) look.textDecoration = lines;
  return Object.keys(look).length ? look : null;
}

/** The colour, moved towards black or white until it stands out from what is behind it. */
function readable(colour, behind) {
  const target = luminance(behind) > 0.18 ? 0 : 255;
  for (let step = 0; step <= 10; step++) {
    const mixed = colour.map((part) => Math.round(part + ((target - part) * step) / 10));
    if (contrast(mixed, behind) >= ENOUGH) return mixed;
  }
  return [target, target, target];
}

function contrast(one, other) {
  const [less, more] = [luminance(one), luminance(other)].sort((left, right) => left - right);
  return (more + 0.05) / (less + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function rgb(colour) {
  return `rgb(${colour.join(" ")})`;
}
