// Words for the document that several modules use.

export const $ = (id) => document.getElementById(id);

export function make(tag, name, text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  return element;
}

// Makes these the children. What stays is not touched: it may be selected.
export function arrange(parent, children) {
  const focused = document.activeElement;
  for (const child of [...parent.children]) if (!children.includes(child)) child.remove();
  for (const [index, child] of children.entries()) {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index]);
  }
  if (parent.contains(focused)) focused.focus({ preventScroll: true });
}

// Sets a text unless it stands there: what does not change is neither painted nor read out.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
