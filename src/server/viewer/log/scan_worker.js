// Looks for matches in a block of lines. It is a worker: an expression that takes too long freezes no page, and is stopped.

import { MAX_SHOWN, decodeLine, plain } from "../text/lines.js";

onmessage = ({ data: { bytes, pattern, isInverted } }) => {
  const found = [];
  const lines = decodeLine(bytes, Infinity).split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const text = plain(line.slice(0, MAX_SHOWN));
    pattern.lastIndex = 0;
    const isFound = pattern.test(text);
    if (isFound) tryAll(pattern, text);
    if (isFound !== isInverted) found.push(index);
  }
  postMessage(found);
};
postMessage([]);

// The page will mark all matches of this line: what takes long there is to take long here.
function tryAll(pattern, text) {
  for (let last = -1; pattern.test(text); last = pattern.lastIndex) if (pattern.lastIndex === last) pattern.lastIndex++;
}
