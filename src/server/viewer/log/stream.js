// One log over `wstail.v1`: connects, counts, and after a loss goes on behind the last byte that came. A browser's script
// sees no Ping frames, so the server sends the event `alive` beside them when it has nothing else to send.

const SHORTEST_PAUSE = 250;
const LONGEST_PAUSE = 15_000;
const CONNECT_TIMEOUT = 10_000;
// How much later than a heartbeat the next one may come.
const GRACE = 5_000;
// After so long a silence it is asked whether the server is there, and how long that may take.
const SILENCE = 5_000;
const DOUBT = 3_000;
const LOST = "Connection lost, reconnecting";

// Follows a log, from its last lines or behind a cursor. `hooks` are `bytes(bytes)`, `event(event)`, `state(word, text)` and
// `heard()`; `net` has `connect(log, parameters)`, `ask(log, parameters, options)`, `askHealth(options)`, `askPerson(token)`
// and `isSeen()`.
export function follow(net, log, { lines, cursor = null }, hooks) {
  let socket = null;
  // The last cursor, and how many bytes came since.
  let place = cursor && { cursor, count: 0 };
  let pause = SHORTEST_PAUSE;
  let timer = 0;
  let heartbeat = 0;
  let heard = 0;
  let isOver = false;
  let isHeld = false;
  // What is said of an open stream, unless its server does not answer.
  let said = null;
  let isMute = false;

  const tell = (...state) => hooks.state(...(said = state));

  function parameters() {
    if (!place) return { lines };
    return { cursor: place.count ? `${place.cursor}.${place.count}` : place.cursor };
  }

  function open() {
    leave();
    const isResumed = place !== null;
    let isOpen = false;
    socket = net.connect(log, { tail: 1, ...parameters() });
    socket.onclose = () => lose(isOpen);
    socket.onmessage = ({ data }) => {
      hear();
      const event = typeof data === "string" ? JSON.parse(data) : {};
      if (event.event === "open") {
        isOpen = true;
        pause = SHORTEST_PAUSE;
        heartbeat = Math.max(1_000, event.heartbeat * 1000);
        watch();
      }
      if (event.event === "alive") return;
      if (event.event === "waiting") tell("waiting", `Waiting: ${event.reason}`);
      else if (event.event !== "cursor") tell("live", "Live");
      if (!event.event) {
        place.count += data.byteLength;
        hooks.bytes(new Uint8Array(data));
      } else if (event.event !== "open" || !isResumed) {
        if (event.cursor) place = { cursor: event.cursor, count: 0 };
        hooks.event(event);
      }
    };
    timer = setTimeout(() => lose(false), CONNECT_TIMEOUT);
  }

  function hear() {
    heard = Date.now();
    hooks.heard();
    if (isMute) hooks.state(...said);
    isMute = false;
  }

  // A stream that brings nothing for two heartbeats and some time, not even `alive`, is lost.
  function watch() {
    clearTimeout(timer);
    const silence = Date.now() - heard;
    const left = 2 * heartbeat + GRACE - silence;
    if (left <= 0) return lose(true);
    const isSilent = silence >= SILENCE;
    if (isSilent && net.isSeen()) doubt();
    timer = setTimeout(watch, Math.min(left, isSilent ? SILENCE : SILENCE - silence));
  }

  // Is the server there? Until it answers the stream is not said to be live.
  async function doubt() {
    const [asked, doubted] = [Date.now(), socket];
    if (!said) return;
    const answer = await net.askHealth({ signal: AbortSignal.timeout(DOUBT) }).catch(() => null);
    if (socket !== doubted || heard > asked) return;
    isMute = !answer;
    hooks.state(...(isMute ? ["bad", "The server does not answer"] : said));
  }

  function leave() {
    clearTimeout(timer);
    [said, isMute] = [null, false];
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    socket = null;
  }

  function lose(wasOpen) {
    leave();
    if (!wasOpen) return probe();
    hooks.state("bad", LOST);
    retry();
  }

  function retry() {
    clearTimeout(timer);
    timer = setTimeout(open, pause * (0.5 + Math.random() / 2));
    pause = Math.min(LONGEST_PAUSE, pause * 2);
  }

  // A browser does not tell why it got no stream: the same is asked for as text.
  async function probe() {
    const isWanted = () => !isOver && !isHeld;
    const say = (text) => isWanted() && hooks.state("bad", text);
    try {
      const { ok, status, token } = await net.ask(log, place ? parameters() : { lines: 0 }, { method: "HEAD" });
      if (!isWanted()) return;
      if (status === 401) {
        say("A token is needed");
        await net.askPerson(token);
        pause = SHORTEST_PAUSE;
      } else if (status === 404) {
        say(place ? "The log is gone: waiting for it to return" : "There is no such log");
      } else if (status === 400 && place) {
        place = null;
        hooks.event({ event: "restart" });
      } else if (!ok) {
        say(status < 500 ? `The server refused the request (${status})` : `The server is unavailable (${status}), retrying`);
      }
    } catch {
      say(place ? LOST : "Cannot connect, retrying");
    }
    // Meanwhile `hurry` may have connected.
    if (isWanted() && !socket) retry();
  }

  open();
  return {
    close() {
      isOver = true;
      leave();
    },
    // Reads no more until it is told to go on: behind what came, or behind a cursor.
    hold(cursor) {
      if (cursor) place = { cursor, count: 0 };
      isHeld = true;
      leave();
      hooks.state("held", "Held: the page is full");
    },
    goOn() {
      if (!isHeld) return;
      isHeld = false;
      pause = SHORTEST_PAUSE;
      hooks.state("idle", "Connecting");
      open();
    },
    get isHeld() {
      return isHeld;
    },
    // The network is said to be gone, which does not matter where the server is near.
    doubt() {
      if (said) hooks.state("waiting", "The network is gone, checking");
      doubt();
    },
    // The network or the tab is back: not a moment is lost.
    hurry() {
      if (isOver || isHeld || (socket && !isMute)) return;
      pause = SHORTEST_PAUSE;
      open();
    },
  };
}
