// Buttons and keys: each button's id is the name of what it does.

import { $ } from "./dom.js";

const KEYS = {
  "/": "find", n: "next", N: "previous", g: "first", Home: "first", G: "new", End: "new", " ": "follow", f: "follow",
  "?": "help", e: "error", E: "errorBefore", t: "time", y: "link", o: "context",
};

export function bind(actions) {
  for (const [name, act] of Object.entries(actions)) $(name)?.addEventListener("click", act);
  document.addEventListener("keydown", (pressed) => {
    const act = actions[KEYS[pressed.key]];
    const isTyping = pressed.target.closest("input, dialog");
    const isButton = pressed.target.closest("button, a") && pressed.key === " ";
    if (!act || pressed.ctrlKey || pressed.metaKey || pressed.altKey || isTyping || isButton) return;
    pressed.preventDefault();
    act(pressed);
  });
}

export const press = (id, is) => $(id).setAttribute("aria-pressed", is);

// Shows or hides what a button is for, by a class of the body.
export function unfold(id, is) {
  $(id).setAttribute("aria-expanded", document.body.classList.toggle(id, is));
}
