// What lines say: levels, times, colours, control characters.

import assert from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { runs, styleAfter } from "../../../src/server/viewer/text/ansi.js";
import { LEVEL, LEVELS, STARTS, classify } from "../../../src/server/viewer/text/levels.js";
import { plain } from "../../../src/server/viewer/text/lines.js";
import { timeOf } from "../../../src/server/viewer/text/time.js";

test("levels are those that the server finds", () => {
  const rows = readFileSync(new URL("../levels.tsv", import.meta.url), "utf8").split("\n").filter(Boolean);
  assert(rows.length > 30);
  for (const row of rows) {
    const [level, line] = row.split("\t");
    assert.equal(LEVELS[classify(line.replaceAll("\\e", "\x1b")) & LEVEL], level, line);
  }
});

test("a line with a time begins an entry", () => {
  for (const line of [
    "2026-11-23 01:32:27,123 - app - INFO - x", "2026-11-23T01:32:27.123Z x", "[2026/11/23 01:32:27] x",
    '10.0.0.1 - - [23/Nov/2026:01:32:27 +0000] "GET / HTTP/1.1" 200 1', "Nov 23 01:32:27 host app[1]: x",
    "Mon Nov 23 01:32:27 2026 x", "E1123 01:32:27.123 1 file.go:1] x", '{"msg":"x","time":"2026-11-23T01:32:27Z"}',
    '{"level":30,"time":1763861547123}', "ts=2026-11-23T01:32:27Z level=info", "1763861547.123 x", "<11>Nov 23 01:32:27 host x",
    "23.11.2026 01:32:27 x", "web-1  | 2026-11-23 01:32:27 x", "INFO 2026-11-23 01:32:27 x", "\x1b[32m2026-11-23 01:32:27\x1b[0m x",
    "type=SYSCALL msg=audit(1763861547.123:45): x",
  ]) assert(classify(line) & STARTS, line);
  for (const line of [
    "Traceback (most recent call last):", "\tat Foo.bar(Baz.java:12)", "line 1234567", "", "caused by: at 01:32:27 it broke",
    "and then, on 2026-11-23 01:32:27, all was over",
  ]) assert(!(classify(line) & STARTS), line);
});

test("a time is found as it stands in the line", () => {
  assert.equal(timeOf("2026-11-23 01:32:27.123 | INFO | x").time, "2026-11-23 01:32:27.123");
  assert.equal(timeOf('{"a":1,"ts":"2026-11-23T01:32:27Z"}').time, "2026-11-23T01:32:27Z");
  assert.equal(timeOf("nothing"), null);
});

test("colours become styles and control characters are shown", () => {
  assert.deepEqual(runs("a\x1b[1mb\x1b[0mc", {}, false).map(({ text, style }) => [text, style?.fontWeight]), [["a", undefined], ["b", "bold"], ["c", undefined]]);
  assert.deepEqual(styleAfter("\x1b[4mx", {}), { underline: true });
  assert.equal(plain("\x1b[31ma\u202eb\x00"), "a<U+202E>b\u2400");
});
