// Addresses: where the service is, and what a log is called there. A log is named by its path as it stands in an
// address, percent-encoded; so a name that is no UTF-8 survives.

// This module lies at BASE/-/viewer/HASH/links.js.
const base = new URL("../../../", import.meta.url);

export const filesAddress = new URL("-/files", base);
export const healthAddress = new URL("-/healthz", base);

/** The log that the page's own address names; empty for none. */
export function chosenLog() {
  const path = location.pathname;
  return path.startsWith(base.pathname) ? path.slice(base.pathname.length) : "";
}

/** A path from the list, as it stands in an address. */
export function encode(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** A log's path for people. */
export function decode(log) {
  try {
    return decodeURIComponent(log);
  } catch {
    return log;
  }
}

/** A log's address with parameters. */
export function logAddress(log, parameters = {}) {
  const address = new URL(base);
  address.pathname += log;
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  return address;
}

/** The same for a WebSocket. */
export function socketAddress(log, parameters) {
  const address = logAddress(log, parameters);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}
