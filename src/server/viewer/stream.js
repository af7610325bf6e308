// One log over `wstail.v1`: connects, counts, and after a loss goes on behind the last byte that came. A browser's script
// sees no Ping frames, so a silent stream is proved otherwise: the server is asked whether it has more behind our place.

import { healthAddress, logAddress, socketAddress } from "./links.js";
import { ask, askPerson, protocols } from "./token.js";

const SHORTEST_PAUSE = 250;
const LONGEST_PAUSE = 15_000;
const CONNECT_TIMEOUT = 10_000;
const ANSWER_TIMEOUT = 5_000;
/** How long what the server has more of may be under way. */
const GRACE = 2_000;

export class Stream {
  #socket = null;
  #place = null;
  #pause = SHORTEST_PAUSE;
  #timer = 0;
  #heartbeat = 10_000;
  #heard = 0;
  #isWaiting = false;
  #isOver = false;
  #hooks;

  /** Calls `hooks`: `bytes(bytes)`, `event(event)`, `state(word, text)`, `heard()`. */
  constructor(log, lines, hooks) {
    this.log = log;
    this.lines = lines;
    this.#hooks = hooks;
    this.#connect();
  }

  close() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#leave();
  }

  /** The network or the tab is back: not a moment is lost. */
  hurry() {
    if (this.#socket || this.#isOver) return;
    this.#pause = SHORTEST_PAUSE;
    this.#connect();
  }

  #parameters() {
    const { cursor, count } = this.#place ?? {};
    return cursor ? { cursor: count ? `${cursor}.${count}` : cursor } : { lines: this.lines };
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#leave();
    const socket = new WebSocket(socketAddress(this.log, { tail: 1, ...this.#parameters() }), protocols());
    socket.binaryType = "arraybuffer";
    const isResumed = this.#place !== null;
    let isOpen = false;
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lose(isOpen), CONNECT_TIMEOUT);
    socket.onmessage = (message) => {
      this.#hear();
      if (typeof message.data !== "string") return this.#take(new Uint8Array(message.data));
      const event = parse(message.data);
      if (event?.event === "open") {
        isOpen = true;
        this.#opened(event);
      }
      if (event && !(event.event === "open" && isResumed)) this.#told(event);
    };
    socket.onclose = () => this.#lose(isOpen);
  }

  #opened(event) {
    this.#pause = SHORTEST_PAUSE;
    this.#heartbeat = Math.min(30_000, Math.max(1_000, event.heartbeat * 1000));
    this.#isWaiting = false;
    this.#watch();
    this.#hooks.state("live", "Live");
  }

  #take(bytes) {
    this.#place.count += bytes.length;
    if (this.#isWaiting) this.#hooks.state("live", "Live");
    this.#isWaiting = false;
    this.#hooks.bytes(bytes);
  }

  #told(event) {
    if (event.cursor) this.#place = { cursor: event.cursor, count: 0 };
    if (event.event === "waiting") {
      this.#isWaiting = true;
      this.#hooks.state("waiting", `Waiting: ${event.reason}`);
    }
    this.#hooks.event(event);
  }

  #hear() {
    this.#heard = Date.now();
    this.#hooks.heard();
  }

  /** Looks after a silent stream, once a heartbeat. */
  #watch() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      const socket = this.#socket;
      const isAlive = Date.now() - this.#heard < this.#heartbeat || (await this.#prove());
      if (this.#socket !== socket || this.#isOver) return;
      if (isAlive) this.#watch();
      else this.#lose(true);
    }, this.#heartbeat);
  }

  /** Whether the server answers, and has nothing that should have come. */
  async #prove() {
    const heard = this.#heard;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ANSWER_TIMEOUT);
    try {
      // Of a log that is gone only the server's health can be asked for.
      const address = this.#isWaiting ? healthAddress : logAddress(this.log, this.#parameters());
      const answer = await ask(address, { signal: stop.signal });
      // A server that has no room for the question still has its streams.
      if (!answer.ok && answer.status !== 503) return false;
      const { value } = this.#isWaiting ? {} : await answer.body.getReader().read();
      const isBehind = answer.ok && value?.length > 0;
      if (isBehind) await new Promise((resolve) => setTimeout(resolve, GRACE));
      if (isBehind && this.#heard === heard) return false;
      this.#hear();
      return true;
    } catch {
      return this.#heard !== heard;
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }

  #leave() {
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  /** The connection is lost, or could not be had. */
  #lose(wasOpen) {
    this.#leave();
    if (this.#isOver) return;
    if (wasOpen) this.#hooks.state("lost", "Connection lost, trying again");
    if (wasOpen) this.#retry();
    else this.#probe();
  }

  #retry() {
    const pause = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  /** A browser does not tell why it got no stream: the same is asked for as text. */
  async #probe() {
    const state = (word, text) => this.#isOver || this.#hooks.state(word, text);
    try {
      const parameters = this.#place ? this.#parameters() : { lines: 0 };
      const answer = await ask(logAddress(this.log, parameters), { method: "HEAD", signal: AbortSignal.timeout(ANSWER_TIMEOUT) });
      if (answer.status === 401) {
        state("token", "A token is needed");
        await askPerson();
        this.#pause = SHORTEST_PAUSE;
      } else if (answer.status === 404) {
        state("missing", this.#place ? "The log is gone; it is looked for" : "There is no such log");
      } else if (answer.status === 400 && this.#place) {
        this.#place = null;
        this.#hooks.event({ event: "restart" });
      } else if (!answer.ok) {
        state("refused", answer.status === 503 ? "The server is busy, trying again" : `The server refuses this page (${answer.status})`);
      }
    } catch {
      state("lost", this.#place ? "Connection lost, trying again" : "No connection, trying again");
    }
    // Meanwhile `hurry` may have connected.
    if (!this.#isOver && !this.#socket) this.#retry();
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
