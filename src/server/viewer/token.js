// The token: asked for once, kept for this tab alone, and handed over as the server takes it from a browser.

const KEY = "wstail.token";
const dialog = document.getElementById("ask");
const field = document.getElementById("token");
const note = document.getElementById("ask-note");
let asked = null;

function token() {
  return sessionStorage.getItem(KEY);
}

/** Keeps a token for this tab; whether it is one. */
export function keep(value) {
  const isToken = /^[\x21-\x7e]+$/.test(value);
  if (isToken) sessionStorage.setItem(KEY, value);
  return isToken;
}

/** The subprotocols to offer. */
export function protocols() {
  return token() ? ["wstail.v1", `bearer.${base64url(token())}`] : ["wstail.v1"];
}

/** Asks over HTTP for anything but the page. */
export function ask(address, options = {}) {
  const headers = { Accept: "text/plain, application/json" };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  return fetch(address, { headers, cache: "no-store", ...options });
}

/** Asks the person for a token; resolves once there is one. Whoever asks meanwhile waits for the same answer. */
export function askPerson() {
  asked ??= new Promise((resolve) => {
    note.textContent = token() ? "That token was not accepted." : "";
    sessionStorage.removeItem(KEY);
    dialog.showModal();
    field.focus();
    document.getElementById("ask-form").onsubmit = (event) => {
      event.preventDefault();
      if (!field.value.trim()) return;
      if (!keep(field.value.trim())) {
        note.textContent = "A token is ASCII, without spaces.";
        return;
      }
      field.value = "";
      asked = null;
      dialog.close();
      resolve();
    };
  });
  return asked;
}

// Without a token there is nothing to see: Escape does not help.
dialog.addEventListener("cancel", (event) => event.preventDefault());

function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
