// Some lines of a log at a time: those before a place, those from a place or a time on, or those that match.

const PATIENCE = 30_000;
// More than that is not taken in one page.
const MAX_BYTES = 32 * 1024 * 1024;
const NEWLINE = 10;

// Reads what the parameters ask for to its end: its `parts` (bytes and events, as they came), the cursor where it begins
// and that behind it, how many lines and bytes it has, and how the stream was closed. `progress(event)` is told how far a
// search is; it is given up when `signal` says so.
export function page(net, log, parameters, progress = () => {}, signal = null) {
  return new Promise((resolve) => {
    const socket = net.connect(log, parameters);
    const found = { parts: [], from: null, size: 0, lines: 0, isGone: false };
    let timer = 0;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => socket.close(), PATIENCE);
    };
    wait();
    signal?.addEventListener("abort", () => socket.close());
    socket.onmessage = ({ data }) => {
      wait();
      if (typeof data !== "string") return take(found, new Uint8Array(data), socket);
      const event = JSON.parse(data);
      if (event.event === "open") [found.from, found.to, found.open] = [event.cursor, event.cursor, event];
      else if (event.event === "progress") progress(event);
      else if (event.cursor) {
        found.parts.push({ event });
        found.to = event.cursor;
        found.isGone ||= event.event === "gap";
      }
    };
    socket.onclose = async ({ code }) => {
      clearTimeout(timer);
      resolve({ ...found, code, isWhole: code === 1000 && found.size <= MAX_BYTES });
    };
  });
}

function take(found, bytes, socket) {
  found.parts.push({ bytes });
  found.size += bytes.length;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) found.lines++;
  if (found.size > MAX_BYTES) socket.close();
}

// The lines before an anchor, which lies `over` bytes before its cursor; null where they could not be read.
export async function older(net, log, { cursor, over }, lines = 2000) {
  const found = await page(net, log, { before: cursor, lines: lines + (over > 0) });
  if (found.isGone) return { isGone: true };
  // Long lines: fewer of them.
  if (found.size > MAX_BYTES && lines > 1) return older(net, log, { cursor, over }, Math.ceil(lines / 8));
  return found.isWhole ? { bytes: (await join(found)).subarray(0, found.size - over), cursor: found.from } : null;
}

export async function join({ parts }) {
  return new Uint8Array(await new Blob(parts.flatMap(({ bytes }) => bytes ?? [])).arrayBuffer());
}
