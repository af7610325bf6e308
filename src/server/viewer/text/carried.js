// The style that a line begins with: what the lines before it left on.

import { styleAfter } from "./ansi.js";

// So many lines are looked back at.
const REACH = 300;
const MOST = 5000;
const known = new WeakMap();

export function styleBefore(store, id) {
  if (!known.has(store) || known.get(store).size > MOST) known.set(store, new Map());
  const styles = known.get(store);
  let from = id;
  while (from > Math.max(store.first, id - REACH) && !styles.has(from)) from--;
  let style = styles.get(from) ?? {};
  for (; from < id; from++) {
    const { text, isMark } = store.line(from);
    style = isMark ? {} : styleAfter(text, style);
    styles.set(from + 1, style);
  }
  return style;
}
