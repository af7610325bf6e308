// What is read of a log besides its stream: older lines as the reader comes near the first one, and, where a place in the
// log is shown and not its end, newer ones.

import { older, page } from "../log/pages.js";
import { net } from "./net.js";

// So many newer lines come at once; after a page that failed it rests, in milliseconds.
const PAGE = 2000;
const REST = 2000;

export class Paging {
  isBusy = false;
  // Where newer lines begin that are not read yet; null where the stream brings them.
  newer = null;
  // The first line of all, once it is known.
  #oldest = null;

  constructor(reader) {
    this.reader = reader;
  }

  // Shows what is at a place, or since a time; whether that could be done.
  async open(request) {
    const { reader } = this;
    const { store, states } = reader;
    this.isBusy = true;
    const found = await page(net, reader.log, { ...request, max: PAGE, ...(request.since && { history: 1 }) });
    if (reader.paging !== this) return false;
    if (!found.isWhole || !found.from) {
      reader.watch(reader.log);
      states.note(found.code === 4422 ? "No times are recognised in this log" : request.since ? "This is not a time" : "The place could not be shown");
      return false;
    }
    reader.size = found.open.size;
    if (!found.isGone) store.cover(found.from);
    this.#take(found);
    if (found.size || !request.since) reader.view.jump(0);
    else states.note("Nothing in the log is later");
    return true;
  }

  #take({ parts, lines, to }) {
    const { reader } = this;
    for (const { bytes, event } of parts) bytes ? reader.add(bytes, NaN) : reader.event(event);
    this.isBusy = false;
    this.newer = lines < PAGE ? null : to;
    if (this.newer === null) reader.live({ cursor: to });
    else reader.told("held", "Held");
    reader.changed();
  }

  async after() {
    if (this.newer === null || this.isBusy) return;
    const { reader } = this;
    this.isBusy = true;
    const found = await page(net, reader.log, { cursor: this.newer, max: PAGE });
    if (reader.paging !== this) return;
    // What is far above may go.
    reader.store.isHeld = false;
    if (found.isWhole && found.from) this.#take(found);
    else setTimeout(() => (this.isBusy = false), REST);
    reader.read();
  }

  async before() {
    const { reader } = this;
    const { store, stream } = reader;
    const { anchor } = store;
    if (this.isBusy || store.first === this.#oldest || !anchor) return;
    this.isBusy = true;
    const found = await older(net, reader.log, anchor);
    if (reader.paging !== this) return;
    if (!found) return setTimeout(() => (this.isBusy = false), REST);
    this.isBusy = false;
    if (found.isGone || !found.bytes.length) {
      reader.states.note(found.isGone ? "Older lines are gone" : "Beginning of the file");
      this.#oldest = store.first;
      if (!found.isGone) store.numbering.begin(store.first);
      reader.view.redraw();
    } else if (store.anchor === anchor) {
      store.prepend(found.bytes, found.cursor);
      // Where there are too many now, the newest ones are read again later.
      const place = store.cut();
      if (place) reader.scan.cut();
      if (place && stream) stream.hold(place);
      else if (place) this.newer = place;
      reader.changed();
    }
  }
}
