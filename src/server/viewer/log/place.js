// Where the server finds a line that is held: so many bytes behind a cursor, which survives rotations.

export function placeOf(store, id) {
  const block = store.blockOf(id);
  let [index, count] = [store.blocks.indexOf(block), block.ends[id - block.first - 1] ?? 0];
  for (; index >= 0; index--) {
    const { anchor, mark } = store.blocks[index];
    if (mark !== null) break;
    if (anchor && anchor.over <= count) return `${anchor.cursor}.${count - anchor.over}`;
    const before = store.blocks[index - 1];
    count += before ? before.length + before.lost : 0;
  }
  return null;
}
