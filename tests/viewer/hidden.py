"""A hidden tab reads on and renders nothing; shown again it has the last lines at once, and all those before them."""

import tempfile
import time
import urllib.request
from pathlib import Path

from browser import Logs, Page, numbered, until

LINES = 100_000
logs = Logs(numbered(1, 100))
page = Page(logs.address).open("app.log")
page.shows("line 100")
page.js(
    """
    window.rendered = 0;
    new MutationObserver((changes) => (window.rendered += changes.length)).observe(
      document.querySelector("[role=log]"), { subtree: true, childList: true, attributes: true, characterData: true });
    """
)


def sent():
    """How many of the log's bytes the server has sent."""
    metrics = urllib.request.urlopen(f"{logs.address}-/metrics", timeout=20).read().decode()
    [value] = [line.split()[1] for line in metrics.splitlines() if line.startswith("wstail_sent_bytes_total ")]
    return float(value)


page.driver.minimize_window()
until("the page is hidden", lambda: page.js("return document.hidden"))
for first in range(101, LINES, 1000):
    logs.append(numbered(first, min(LINES, first + 999)))
whole = logs.path().stat().st_size
until("the server has sent all", lambda: sent() >= whole)
assert page.js("return [document.hidden, window.rendered]") == [True, 0]

page.driver.set_window_rect(0, 0, 1200, 800)
began = time.monotonic()
page.shows(f"line {LINES}", 2)
print(f"{LINES} lines are shown {time.monotonic() - began:.2f} s after the tab")
assert page.lines[-30:] == numbered(LINES - 29, LINES).splitlines(), page.lines[-30:]
assert page.is_pressed("Follow")

folder = tempfile.mkdtemp()
page.cdp("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": folder})
page.named("button", "Download").click()
files = until("all lines are saved", lambda: [file for file in Path(folder).iterdir() if file.suffix == ".txt"])
until("none is missing", lambda: files[0].read_text() == numbered(1, LINES))
page.close()
logs.close()
