// What a line shows and what of it matches. It needs no document: the worker that searches uses it, too.

export const ESCAPE = /\x1b\[([0-?]*)[ -\/]*([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -\/]*[0-~]?/g;
// What would do something, such as to turn the direction of a text, is shown instead.
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// How much of a line is shown and searched.
export const MAX_SHOWN = 10_000;
// Of a line's colours and matches more are plain: what is on screen stays a few thousand nodes.
export const MAX_RUNS = 60;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// A line without its end, and without a last half character; at most three bytes make one unit of its length.
export function decodeLine(bytes, most = MAX_SHOWN) {
  const text = decoder.decode(bytes.subarray(0, 3 * most), { stream: true });
  decoder.decode();
  return text.replace(/\r?\n?$/, "").slice(0, most);
}

export const plain = (text) => visible(text.includes("\x1b") ? text.replace(ESCAPE, "") : text);

export function visible(text) {
  return text.replace(CONTROL, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

export function matches(text, pattern) {
  const ranges = [];
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (found) ranges.push({ start: index, end: index + found.length });
    if (ranges.length === MAX_RUNS) break;
  }
  return ranges;
}
