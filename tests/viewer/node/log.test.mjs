// What is held of a log and how it comes, without a page: the network is played.

import assert from "node:assert";
import { test } from "node:test";

import { Beyond } from "../../../src/server/viewer/log/beyond.js";
import { Entries } from "../../../src/server/viewer/log/entries.js";
import { older, page } from "../../../src/server/viewer/log/pages.js";
import { placeOf } from "../../../src/server/viewer/log/place.js";
import { Store } from "../../../src/server/viewer/log/store.js";
import { classify } from "../../../src/server/viewer/text/levels.js";

// Browsers have it, Node.js before 22 does not.
ArrayBuffer.prototype.transfer ??= function (size) {
  const other = new ArrayBuffer(size);
  new Uint8Array(other).set(new Uint8Array(this, 0, Math.min(size, this.byteLength)));
  return other;
};

const bytes = (text) => new TextEncoder().encode(text);

// A network that answers each request with what `answer(parameters)` gives: events and texts, then a close.
function played(answer) {
  const asked = [];
  return {
    asked,
    connect(log, parameters) {
      asked.push(parameters);
      const socket = { close: () => queueMicrotask(() => socket.onclose({ code: 1005 })) };
      setTimeout(() => {
        for (const message of answer(parameters)) {
          socket.onmessage({ data: typeof message === "string" ? bytes(message).buffer : JSON.stringify(message) });
        }
        socket.onclose({ code: 1000 });
      });
      return socket;
    },
  };
}

test("a line's place is so many bytes behind a cursor, across blocks and not across a mark", () => {
  const store = new Store();
  store.cover("a");
  store.append(bytes("one\ntwo\n"));
  assert.equal(placeOf(store, 0), "a.0");
  assert.equal(placeOf(store, 1), "a.4");
  store.append(bytes(`${"x".repeat(999)}\n`.repeat(200)));
  assert.equal(placeOf(store, 150), `a.${8 + 148 * 1000}`);
  store.cover("b");
  store.append(bytes("last\n"));
  assert.equal(placeOf(store, 202), `a.${8 + 200 * 1000}`);
  store.mark("Gap", "c", null);
  store.append(bytes("new\n"));
  assert.equal(placeOf(store, 203), null, "a mark has no place");
  assert.equal(placeOf(store, 204), "c.0");
  store.prepend(bytes("older\nlines\n"), "z");
  assert.equal(placeOf(store, -1), "z.6");
  assert.equal(placeOf(store, 1), "a.4");
});

test("lines without a time belong to the entry before, and are as grave", () => {
  const store = new Store();
  store.append(bytes("2026-11-23 01:00:00 INFO a\n2026-11-23 01:00:01 ERROR b\nTraceback\n  File\n2026-11-23 01:00:02 INFO c\n"));
  const entries = new Entries(store);
  assert.equal(entries.level(2), 0, "before a time is seen every line is an entry");
  entries.learn(0, Uint8Array.from([0, 1, 2, 3, 4], (id) => classify(store.line(id).text)), false);
  assert.deepEqual([0, 1, 2, 3, 4].map((id) => entries.start(id)), [0, 1, 1, 1, 4]);
  assert.deepEqual([0, 1, 2, 3, 4].map((id) => entries.level(id)), [3, 6, 6, 6, 3]);
  assert.deepEqual(entries.counts, [0, 1]);
  assert.equal(entries.error(-1, 1), 1);
  assert.equal(entries.error(1, 1), null);
});

test("a page has its lines, the cursors around them, and whether it is whole", async () => {
  const net = played(() => [{ event: "open", cursor: "a" }, "one\n", { event: "rotated", cursor: "b" }, "two\n", { event: "cursor", cursor: "c" }]);
  const found = await page(net, "app.log", { cursor: "a" });
  assert.deepEqual([found.from, found.to, found.lines, found.size, found.isWhole], ["a", "c", 2, 8, true]);
  assert.deepEqual(found.parts.map(({ event }) => event?.event), [undefined, "rotated", undefined, "cursor"]);
});

test("older lines end where those that are held begin", async () => {
  const net = played(() => [{ event: "open", cursor: "a" }, "one\ntwo\nthree\n"]);
  const found = await older(net, "app.log", { cursor: "b", over: 6 });
  assert.equal(new TextDecoder().decode(found.bytes), "one\ntwo\n");
  assert.deepEqual(net.asked, [{ before: "b", lines: 2001 }]);
  assert.deepEqual(await older(played(() => [{ event: "open", cursor: "a" }, { event: "gap", cursor: "b" }]), "app.log", { cursor: "b", over: 0 }), { isGone: true });
});

test("matches beyond come newest first, each once, with how far the search is", async () => {
  const hits = Array.from({ length: 30 }, (_, index) => `hit ${index}`);
  const net = played(({ before, lines }) => {
    const end = before === "held" ? 30 : Number(before);
    const start = Math.max(0, end - lines);
    return [
      { event: "progress", bytes: 5, total: end * 10, matches: 0, done: false },
      { event: "open", cursor: String(start) },
      ...(end > start ? [hits.slice(start, end).map((hit) => `${hit}\n`).join("")] : []),
    ];
  });
  const counts = [];
  const beyond = new Beyond(net, "app.log", { grep: "hit" }, () => counts.push(beyond.count));
  await beyond.run({ cursor: "held", over: 0 });
  assert.deepEqual([...new Set(counts)], [0, 1, 5, 21, 30]);
  assert.equal(beyond.state, "done");
  assert.equal(beyond.total, 300);
  const { store } = beyond;
  assert.deepEqual(hits, Array.from({ length: 30 }, (_, index) => store.text(store.first + index)));
  assert(net.asked.every(({ grep, history }) => grep === "hit" && history === 1));
});

test("a search beyond can be stopped, and goes on where it was", async () => {
  const net = played(({ before, lines }) => {
    const end = before === "held" ? 100 : Number(before);
    const start = Math.max(0, end - lines);
    return [{ event: "open", cursor: String(start) }, ...(end > start ? ["x\n".repeat(end - start)] : [])];
  });
  const beyond = new Beyond(net, "app.log", {}, () => beyond.count === 5 && beyond.state === "running" && beyond.stop());
  await beyond.run({ cursor: "held", over: 0 });
  assert.deepEqual([beyond.count, beyond.state], [5, ""]);
  beyond.told = () => {};
  await beyond.run();
  assert.deepEqual([beyond.count, beyond.state], [100, "done"]);
});
