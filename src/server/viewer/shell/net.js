// Requests, and the token for them: asked for once, kept for this tab alone, and handed over as the server takes it from a
// browser.

import { $, say } from "./dom.js";
import { healthAddress, logAddress } from "./links.js";

const KEY = "wstail.token";
const field = $("token");
let asked = null;

const token = () => sessionStorage.getItem(KEY);
export const hasToken = () => token() !== null;

// Keeps a token for this tab; whether it is one.
export function keep(value) {
  const isToken = /^[\x21-\x7e]+$/.test(value);
  if (isToken) sessionStorage.setItem(KEY, value);
  return isToken;
}

// Asks over HTTP for anything but the page. The answer knows the token that it was asked with.
export async function ask(address, options = {}, fields = {}) {
  const headers = { Accept: "text/plain, application/json", ...fields };
  const used = token();
  if (used) headers.Authorization = `Bearer ${used}`;
  const answer = await fetch(address, { headers, cache: "no-store", signal: AbortSignal.timeout(10_000), ...options });
  return Object.assign(answer, { token: used });
}

export function connect(log, parameters) {
  const address = logAddress(log, parameters);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address, ["wstail.v1", ...(token() ? [`bearer.${base64url(token())}`] : [])]);
  socket.binaryType = "arraybuffer";
  return socket;
}

const base64url = (text) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// What a log's parts need of it.
export const net = {
  connect,
  ask: (log, parameters, options) => ask(logAddress(log, parameters), options),
  askHealth: (options) => ask(healthAddress, options),
  askPerson: (refused) => askPerson(refused),
  isSeen: () => !document.hidden,
};

// Asks the person for a token after one (or none) was refused, whoever wants it once; resolves when there is one. A late
// refusal says nothing about a token that was entered since.
export async function askPerson(refused) {
  if (!asked && token() !== refused) return;
  asked ??= new Promise((resolve) => {
    say($("ask-note"), token() ? "That token was not accepted." : "");
    sessionStorage.removeItem(KEY);
    $("ask").showModal();
    field.focus();
    $("ask-form").onsubmit = (event) => {
      event.preventDefault();
      if (!keep(field.value.trim())) return say($("ask-note"), "A token is ASCII, without spaces.");
      field.value = "";
      asked = null;
      $("ask").close();
      resolve();
    };
  });
  await asked;
}

// Without a token there is nothing to see: Escape does not help, and a second one, which browsers do not let be cancelled,
// neither.
$("ask").addEventListener("cancel", (event) => event.preventDefault());
$("ask").addEventListener("close", () => asked && $("ask").showModal());
