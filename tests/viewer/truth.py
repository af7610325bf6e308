"""Truth: a lost connection is said and resumed, gapless and once; rotations and gaps are drawn where they happened."""

import re

from browser import Logs, Page, numbered, until

logs = Logs(numbered(1, 500), ["--rotate-wait=0.5"])
page = Page(logs.address, 1000, 3000).open("app.log")
page.shows("line 500")
until("it is live", lambda: "Live" in page.status)
logs.kill()
until("the loss is said", lambda: "lost" in page.status)
logs.append(numbered(501, 600))
logs.path().rename(logs.path("app.log.1"))
logs.append(numbered(601, 700))
logs.start()
page.shows("line 700")
until("it is live again", lambda: "Live" in page.status)
page.shows("rotated")
logs.append("last\n")
page.shows("last")
seen = set()
for top in range(0, page.js("return document.querySelector('[role=log]').scrollHeight"), 1500):
    page.scroll_to(top)
    page.drawn()
    seen |= {int(found[1]) for line in page.lines if (found := re.fullmatch(r"line (\d+)", line))}
assert sorted(seen) == list(range(1, 701)), [number for number in range(1, 701) if number not in seen]
assert page.js("return document.querySelector('[role=log]').scrollHeight") == 702 * 18, "700 lines, the mark and the last"

logs.path().write_bytes(b"begun anew\n")
page.shows("begun anew")
page.shows("truncated")
assert re.search(r"Gap: (an unknown number of|\d+) bytes", page.text) or "truncated" in page.text
logs.path().unlink()
until("it is said that the log is gone", lambda: "Waiting" in page.status)
logs.append("back\n")
page.shows("back")
until("it is live", lambda: "Live" in page.status)
assert re.search(r"Gap: an unknown number of bytes missing here \(replaced\)", page.text), page.lines[-8:]
page.close(expected=["WebSocket connection", "ERR_CONNECTION"])

# A silent stream says by itself that it lives, so the page does not ask for what comes after its place.
import os, signal, time, urllib.request

logs.options = ["--heartbeat=1"]
logs.kill()
logs.start()
page = Page(logs.address).open("app.log")
page.shows("back")
time.sleep(9)
assert "Live" in page.status, page.status
asked = page.js("return performance.getEntriesByType('resource').map(({ name }) => name)")
assert not [name for name in asked if "cursor=" in name], asked
metrics = urllib.request.urlopen(logs.address + "-/metrics").read().decode()
assert 'wstail_resumes_total{result="hit"} 0' in metrics, metrics

# A stream that brings not even that is taken for dead: a server that answers nothing.
os.kill(logs.server.pid, signal.SIGSTOP)
until("silence is noticed", lambda: "lost" in page.status, 20)
os.kill(logs.server.pid, signal.SIGCONT)
logs.append("after the silence\n")
page.shows("after the silence")
until("it is live", lambda: "Live" in page.status)
assert page.text.count("after the silence") == 1

# The network is said to be back while it is still asked why there is no stream.
page.js("""
  const real = window.fetch;
  [window.begun, window.done] = [0, 0];
  window.fetch = async (address, options) => {
    if (options?.method !== "HEAD") return real(address, options);
    window.begun++;
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return real(address, options).finally(() => window.done++);
  };
""")
logs.kill()
until("it is asked why", lambda: page.js("return window.begun") > 0)
logs.start()
page.js("dispatchEvent(new Event('online'))")
until("it is live", lambda: "Live" in page.status)
until("that is answered", lambda: page.js("return window.done") > 0)
for number in range(20):
    logs.append(f"once {number}\n")
    page.shows(f"once {number}")
    page.js("return new Promise((resolve) => setTimeout(resolve, 100))")
assert page.text.count("once 19") == 1 and page.text.count("once 15") == 1, page.text
page.close(expected=["WebSocket connection", "ERR_", "Failed to load"])
logs.close()
