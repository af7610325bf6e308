// Colours: a line becomes runs of text with the styles that the log gives them, none of which is unreadable.

import { ESCAPE, MAX_RUNS, visible } from "./lines.js";

// Enough for 4.5 on a tinted row, too.
const CONTRAST = 6;
const [BLACK, WHITE] = [[0, 0, 0], [255, 255, 255]];
const SIXTEEN = [
  BLACK, [187, 30, 30], [20, 120, 40], [150, 100, 0], [30, 80, 200], [150, 40, 150], [0, 120, 130], [190, 190, 190],
  [110, 110, 110], [240, 80, 80], [60, 190, 90], [220, 180, 50], [90, 140, 255], [220, 110, 220], [60, 200, 210], WHITE,
];
// What a code turns on; the code that is 20 higher turns it off.
const WORDS = { 1: "bold", 2: "faint", 3: "italic", 4: "underline", 7: "reverse", 9: "strike" };
const SIDES = { 3: "front", 4: "back", 9: "front", 10: "back" };

// `style` is the one that the line before ended with.
export function runs(text, style, isDark) {
  const found = [];
  let at = 0;
  const add = (piece) => {
    if (piece) found.push({ text: visible(piece), style: found.length < MAX_RUNS ? css(style, isDark) : null });
  };
  for (const { 0: escape, 1: codes, 2: final, index } of text.matchAll(ESCAPE)) {
    add(text.slice(at, index));
    at = index + escape.length;
    if (final === "m") style = select({ ...style }, codes.split(";"));
  }
  add(text.slice(at));
  return found;
}

// The style that a line ends with.
export function styleAfter(text, style) {
  if (!text.includes("\x1b")) return style;
  for (const { 1: codes, 2: final } of text.matchAll(ESCAPE)) {
    if (final === "m") style = select({ ...style }, codes.split(";"));
  }
  return style;
}

function select(style, parts) {
  const codes = parts.flatMap(plainCodes);
  while (codes.length) {
    const code = codes.shift();
    const side = SIDES[Math.floor(code / 10)];
    if (code === 0) style = {};
    else if (WORDS[code]) style[WORDS[code]] = true;
    else if (WORDS[code - 20]) style[WORDS[code - 20]] = false;
    else if (code === 38 || code === 48) style[side] = extended(codes) ?? style[side];
    else if (side) style[side] = SIXTEEN[code % 10 > 7 ? -1 : (code % 10) + (code > 49 ? 8 : 0)];
    if (code === 22) style.bold = false;
  }
  return style;
}

// A code with colons as codes without: of a colour the space that it is named in is left out, of an underline its kind.
function plainCodes(part) {
  const [code, kind, ...rest] = part.split(":").map(Number);
  if (kind === undefined) return code;
  if (code === 4) return kind ? 4 : 24;
  if (code !== 38 && code !== 48) return [];
  return [code, kind, ...(kind === 2 ? rest.slice(rest.length > 3 ? 1 : 0, rest.length > 3 ? 4 : 3) : rest.slice(0, 1))];
}

function extended(codes) {
  const kind = codes.shift();
  if (kind === 2) return codes.splice(0, 3).map((part) => part & 255);
  if (kind !== 5) return null;
  const index = codes.shift() & 255;
  if (index < 16) return SIXTEEN[index];
  if (index >= 232) return Array(3).fill(8 + 10 * (index - 232));
  return [36, 6, 1].map((place) => Math.floor((index - 16) / place) % 6).map((step) => (step ? 55 + 40 * step : 0));
}

function css(style, isDark) {
  const [ground, ink] = isDark ? [[22, 25, 29], [220, 224, 228]] : [WHITE, [30, 34, 38]];
  let { front, back } = style;
  if (style.reverse) [front, back] = [back ?? ground, front ?? ink];
  const look = {};
  if (back) look.backgroundColor = rgb(back);
  if (front || back) look.color = rgb(readable(front ?? ink, back ?? ground));
  else if (style.faint) look.color = "var(--faint)";
  if (style.bold) look.fontWeight = "bold";
  if (style.italic) look.fontStyle = "italic";
  const lines = [style.underline && "underline", style.strike && "line-through"].filter(Boolean);
  if (lines.length) look.textDecoration = lines.join(" ");
  return Object.keys(look).length ? look : null;
}

const rgb = (colour) => `rgb(${colour.join(" ")})`;

// The colour, made darker or lighter until it stands out from what is behind it.
function readable(colour, behind) {
  const light = luminance(behind);
  const target = light > 0.18 ? 0 : 255;
  for (let step = 0; step < 10; step++) {
    const mixed = colour.map((part) => Math.round(part + ((target - part) * step) / 10));
    const other = luminance(mixed);
    if ((Math.max(light, other) + 0.05) / (Math.min(light, other) + 0.05) >= CONTRAST) return mixed;
  }
  return target ? WHITE : BLACK;
}

function luminance(colour) {
  const linear = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  const [red, green, blue] = colour.map((part) => linear(part / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
