// Numbers of lines, ascending.

// How many of them lie before a line.
export function before(ids, id) {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const has = (ids, id) => ids[before(ids, id)] === id;

// Drops what lies before `first` or from `end` on.
export function limit(ids, first, end) {
  ids.length = before(ids, end);
  ids.splice(0, before(ids, first));
}
