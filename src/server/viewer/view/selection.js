// What is selected of the log, also where its lines are no longer on screen and thus not in the document.

export class Selection {
  // Places: a line, and how many characters of it are before.
  #anchor = null;
  #focus = null;
  // The hand that selects is down.
  #isDragged = false;
  #pane;
  #rows;

  constructor(frame) {
    [this.#pane, this.#rows] = [frame.querySelector(".pane"), frame.querySelector(".rows")];
    this.#pane.addEventListener("pointerdown", ({ shiftKey, button }) => {
      this.#isDragged = button === 0;
      if (this.#isDragged && !shiftKey) this.clear();
    });
    addEventListener("pointerup", () => (this.#isDragged = false));
    this.#pane.addEventListener("pointermove", ({ buttons, clientX, clientY }) => {
      if (!this.#isDragged || !(buttons & 1) || !this.#anchor || this.#isDrawn(this.#anchor)) return;
      const caret = document.caretRangeFromPoint?.(clientX, clientY);
      this.#focus = (caret && this.#place(caret.startContainer, caret.startOffset)) ?? this.#focus;
      this.paint();
    });
    document.addEventListener("selectionchange", () => {
      const { anchorNode, anchorOffset, focusNode, focusOffset } = getSelection();
      if (!this.#pane.contains(anchorNode)) return this.clear();
      // The browser forgets where a selection began once that line is gone.
      if (this.#anchor && !this.#isDrawn(this.#anchor)) return;
      this.#anchor = this.#place(anchorNode, anchorOffset) ?? this.#anchor;
      this.#focus = this.#place(focusNode, focusOffset) ?? this.#focus;
    });
  }

  clear() {
    [this.#anchor, this.#focus] = [null, null];
  }

  // The first and the last place; null where nothing is selected.
  get range() {
    const [anchor, focus] = [this.#anchor, this.#focus];
    if (!anchor || !focus || (anchor.id === focus.id && anchor.offset === focus.offset)) return null;
    const isForward = anchor.id < focus.id || (anchor.id === focus.id && anchor.offset < focus.offset);
    return isForward ? [anchor, focus] : [focus, anchor];
  }

  // Selects in the document what is on screen of it.
  paint() {
    if (!this.range || (this.#isDragged && this.#isDrawn(this.#anchor))) return;
    const { anchorNode, anchorOffset, focusNode, focusOffset } = getSelection();
    if (this.#isAt(this.#anchor, anchorNode, anchorOffset) && this.#isAt(this.#focus, focusNode, focusOffset)) return;
    getSelection().setBaseAndExtent(...this.#boundary(this.#anchor), ...this.#boundary(this.#focus));
  }

  #row(id) {
    return this.#rows.querySelector(`[data-line="${id}"]`);
  }

  #isDrawn({ id }) {
    return this.#row(id) !== null;
  }

  #place(node, offset) {
    const row = (node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement)?.closest(".row");
    if (!row || !this.#rows.contains(row)) return null;
    const before = document.createRange();
    before.selectNodeContents(row.querySelector(".text"));
    before.setEnd(node, offset);
    return { id: Number(row.dataset.line), offset: before.toString().length };
  }

  #isAt({ id, offset }, node, at) {
    const found = this.#place(node, at);
    return found?.id === id && found.offset === offset;
  }

  // The place in the document, or the end of what is drawn on that side.
  #boundary({ id, offset }) {
    const row = this.#row(id);
    const rows = this.#rows;
    if (!row) return [rows, id < Number(rows.firstChild?.dataset.line) ? 0 : rows.childNodes.length];
    const walker = document.createTreeWalker(row.querySelector(".text"), NodeFilter.SHOW_TEXT);
    let left = offset;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (left <= node.length) return [node, left];
      left -= node.length;
    }
    return [row, row.childNodes.length];
  }
}
