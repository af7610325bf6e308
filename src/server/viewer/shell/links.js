// Addresses: where the service is, and what a log is called there: its path as it stands in an address, percent-encoded,
// so that a name that is no UTF-8 survives.

import { visible } from "../text/lines.js";

// This module lies at BASE/-/viewer/HASH/shell/links.js.
const base = new URL("../../../../", import.meta.url);

export const filesAddress = new URL("-/files", base);
export const healthAddress = new URL("-/healthz", base);

// The log that the page's address names; empty for none.
export const chosenLog = () => location.pathname.slice(base.pathname.length);

export const encode = (path) => path.split("/").map(encodeURIComponent).join("/");

// A log's path for people.
export function decode(log) {
  try {
    return decodeURIComponent(log);
  } catch {
    return log;
  }
}

// As it is shown: what would turn the direction of a text is told.
export const nameOf = (log) => visible(decode(log));

export function logAddress(log, parameters = {}) {
  const address = new URL(base);
  address.pathname += log;
  // In a query a plus is a plus.
  address.search = new URLSearchParams(parameters).toString().replaceAll("+", "%20");
  return address;
}
