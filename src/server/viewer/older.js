// The lines before the first that is held: a page of them at a time, by the parameter `before`.

import { socketAddress } from "./links.js";
import { protocols } from "./token.js";

const LINES = 2000;
/** More than that is not taken in one page. */
const MAX_BYTES = 32 * 1024 * 1024;
/** A server that has fallen silent, in milliseconds. */
const PATIENCE = 20_000;

/** The page before an anchor: its bytes, the cursor of its first one, and whether the file begins there. */
export function loadOlder(log, anchor, lines = LINES) {
  const { cursor, over } = anchor;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(socketAddress(log, { before: cursor, lines: lines + (over ? 1 : 0) }), protocols());
    socket.binaryType = "arraybuffer";
    const timer = setTimeout(() => socket.close(), PATIENCE);
    const pieces = [];
    let [size, first, gap] = [0, null, null];
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") {
        const event = JSON.parse(data);
        if (event.event === "open") first = event.cursor;
        if (event.event === "gap") gap = event.reason;
        return;
      }
      pieces.push(data);
      size += data.byteLength;
      if (size > MAX_BYTES) socket.close();
    };
    socket.onclose = async ({ code }) => {
      clearTimeout(timer);
      if (gap) return resolve({ isGone: true });
      // Long lines: fewer of them.
      if (size > MAX_BYTES && lines > 1) return resolve(loadOlder(log, anchor, Math.ceil(lines / 8)));
      if (!first || code !== 1000 || size > MAX_BYTES) return reject(new Error("older lines cannot be loaded"));
      const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer()).subarray(0, size - over);
      resolve({ bytes, cursor: first, isStart: count(bytes) < lines });
    };
  });
}

function count(bytes) {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
