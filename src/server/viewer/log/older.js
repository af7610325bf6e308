// The lines before the first that is held: a page of them at a time, by the parameter `before`.

import { connect } from "../shell/token.js";

const LINES = 2000;
// More than that is not taken in one page.
const MAX_BYTES = 32 * 1024 * 1024;

// The page before an anchor: its bytes, none at the file's beginning, and their cursor; or that it is gone; or null.
export function loadOlder(log, { cursor, over }, lines = LINES) {
  return new Promise((resolve) => {
    const socket = connect(log, { before: cursor, lines: lines + (over > 0) });
    const timer = setTimeout(() => socket.close(), 20_000);
    const [events, pieces] = [{}, []];
    let size = 0;
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") {
        const event = JSON.parse(data);
        events[event.event] = event;
        return;
      }
      pieces.push(data);
      size += data.byteLength;
      if (size > MAX_BYTES) socket.close();
    };
    socket.onclose = async ({ code }) => {
      clearTimeout(timer);
      if (events.gap) return resolve({ isGone: true });
      // Long lines: fewer of them.
      if (size > MAX_BYTES && lines > 1) return resolve(loadOlder(log, { cursor, over }, Math.ceil(lines / 8)));
      if (!events.open || code !== 1000 || size > MAX_BYTES) return resolve(null);
      const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer()).subarray(0, size - over);
      resolve({ bytes, cursor: events.open.cursor });
    };
  });
}
