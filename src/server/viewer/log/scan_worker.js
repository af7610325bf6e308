// Looks at a block of lines: how grave they are, and which of them match. It is a worker: an expression that takes too long
// freezes no page, and is stopped.

import { MATCHES, classify } from "../text/levels.js";
import { MAX_SHOWN, decodeLine, plain } from "../text/lines.js";

onmessage = ({ data: { bytes, pattern, isInverted, isKnown } }) => {
  const lines = decodeLine(bytes, Infinity).split(/\r?\n/);
  const codes = Uint8Array.from(lines, (line) => (isKnown ? 0 : classify(line)) | (pattern && matches(line)));
  postMessage(codes);

  function matches(line) {
    const text = plain(line.slice(0, MAX_SHOWN));
    pattern.lastIndex = 0;
    const isFound = pattern.test(text);
    if (isFound) tryAll(pattern, text);
    return isFound !== isInverted ? MATCHES : 0;
  }
};
postMessage([]);

// The page will mark all matches of this line: what takes long there is to take long here.
function tryAll(pattern, text) {
  for (let last = -1; pattern.test(text); last = pattern.lastIndex) if (pattern.lastIndex === last) pattern.lastIndex++;
}
